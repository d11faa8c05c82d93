const KEY = "dams:token";

/** Of this tab only, and gone when it closes. Empty where there is none. */
export function readToken(): string {
  return sessionStorage.getItem(KEY) ?? "";
}

export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}

/** The same for a header of HTTP and for the payload of `connection_init`. */
export function authorization(token: string): Record<string, string> {
  return token ? { Authorization: `Bearer ${token}` } : {};
}
