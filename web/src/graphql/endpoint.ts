export const HTTP_URL = "/graphql";

/** WebSocket addresses are absolute: not every browser resolves a relative one. */
export const WS_URL = `${location.origin.replace(/^http/, "ws")}${HTTP_URL}`;
