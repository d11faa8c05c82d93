import { expect, test, vi } from "vitest";
import { pauseMs } from "../src/graphql/pause";

test.each([
  [0, undefined, 1_000],
  [3, 1012, 8_000],
  [50, 1006, 10_000],
  [50, 1013, 60_000],
  [50, 4403, 60_000],
  [50, "TOO_MANY_SUBSCRIPTIONS", 60_000],
])(
  "after %d failures, the last of them %s, the pause is at most %d ms and at least half of it",
  (failures, reason, longest) => {
    const random = vi.spyOn(Math, "random");
    random.mockReturnValue(0);
    expect(pauseMs(failures, reason)).toBe(longest / 2);
    random.mockReturnValue(1);
    expect(pauseMs(failures, reason)).toBe(longest);
    random.mockRestore();
  },
);
