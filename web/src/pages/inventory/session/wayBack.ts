/** Where to go on after signing in: where one is, or was before one came to the page for it. */
export function wayBack(): string {
  if (location.pathname !== "/sign-in") return location.pathname + location.search;
  const from: unknown = history.state;
  return typeof from === "string" ? from : "/";
}
