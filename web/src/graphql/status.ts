/**
 * - `connecting`: not yet connected;
 * - `live`: what happens is told at once;
 * - `reconnecting`: it is behind, and will catch up by itself;
 * - `refused`: the server does not accept the token, not even a fresh one. It tries on, less and less often.
 */
export type State = "connecting" | "live" | "reconnecting" | "refused";

/** What to tell the user. `useSyncExternalStore(status.subscribe, status.getSnapshot)` follows it in React. */
export class Status {
  readonly #listeners = new Set<() => void>();
  readonly #pauses = new Set<symbol>();
  #connection: State = "connecting";

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  readonly getSnapshot = (): State =>
    this.#connection === "live" && this.#pauses.size > 0 ? "reconnecting" : this.#connection;

  /** Of the connection. */
  set(state: State): void {
    this.#connection = state;
    this.#tell();
  }

  /** One stream waits before it comes again, be the connection as it may. Returns what ends the pause. */
  pause(): () => void {
    const pause = Symbol();
    this.#pauses.add(pause);
    this.#tell();
    return () => {
      this.#pauses.delete(pause);
      this.#tell();
    };
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
