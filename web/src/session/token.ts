const KEY = "dams:token";
const IS_SESSION_KEY = "dams:token-is-session";

/** Of this tab only, and gone when it closes. Empty where there is none. */
export function readToken(): string {
  return sessionStorage.getItem(KEY) ?? "";
}

export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}

/** Whether the token was made by signing in, and so ends with signing out; one that was pasted is of use elsewhere. */
export function isSessionToken(): boolean {
  return sessionStorage.getItem(IS_SESSION_KEY) === "true";
}

export function keepWhetherSession(isSession: boolean): void {
  sessionStorage.setItem(IS_SESSION_KEY, String(isSession));
}

/** The same for a header of HTTP and for the payload of `connection_init`. */
export function authorization(token: string): Record<string, string> {
  return token ? { Authorization: `Bearer ${token}` } : {};
}
