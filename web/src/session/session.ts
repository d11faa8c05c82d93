import { isSessionToken, keepToken, keepWhetherSession, readToken } from "./token";

export interface Snapshot {
  /** Empty where nobody is signed in. */
  token: string;
  /** The server did not accept the token any more; whoever it was has not been asked yet what to do. */
  hasEnded: boolean;
  /** Higher after each sign-out: what was shown until then is not for who comes next. */
  generation: number;
}

/** Who is signed in on this tab. `useSyncExternalStore(session.subscribe, session.getSnapshot)` follows it in React. */
export class Session {
  readonly #listeners = new Set<() => void>();
  #snapshot: Snapshot = { token: readToken(), hasEnded: false, generation: 0 };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  readonly getSnapshot = (): Snapshot => this.#snapshot;

  get token(): string {
    return this.#snapshot.token;
  }

  /** Whether the token is to be revoked when its user leaves. */
  get isRevokedAtEnd(): boolean {
    return isSessionToken();
  }

  /** `isSession`: the token was made by signing in. */
  begin(token: string, isSession: boolean): void {
    keepWhetherSession(isSession);
    this.#change({ token, hasEnded: false });
  }

  /** The token is of no use any more. */
  expire(): void {
    if (this.token) this.#change({ token: "", hasEnded: true });
  }

  /** Whoever was told that it ended goes on without. */
  dismiss(): void {
    this.#change({ hasEnded: false });
  }

  end(): void {
    this.#change({ token: "", hasEnded: false, generation: this.#snapshot.generation + 1 });
  }

  #change(change: Partial<Snapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    keepToken(this.token);
    for (const listener of this.#listeners) listener();
  }
}
