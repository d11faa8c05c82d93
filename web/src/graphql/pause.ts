const LONGEST_MS = 10_000;

/** For who is turned away: a full server and a refused token do not get better within seconds. */
const LONGEST_WHEN_TURNED_AWAY_MS = 60_000;

/** Close codes and error codes: full, refused, too many of one kind. */
const TURNED_AWAY: ReadonlySet<unknown> = new Set([1013, 4403, "TOO_MANY_SUBSCRIPTIONS", "RATE_LIMITED"]);

/** Twice as long after each failure in a row, and at random, so that a restarted server is not met by everyone at once. */
export function pauseMs(failures: number, reason?: unknown): number {
  const longest = TURNED_AWAY.has(reason) ? LONGEST_WHEN_TURNED_AWAY_MS : LONGEST_MS;
  return Math.min(1_000 * 2 ** failures, longest) * (0.5 + Math.random() / 2);
}
