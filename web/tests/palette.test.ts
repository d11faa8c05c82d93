import { describe, expect, test } from "vitest";
import { GROUNDS, type Scheme } from "../src/pages/inventory/map/palette";

/** Of WCAG 2.2: relative luminance. */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => parseInt(color.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

describe.each(Object.keys(GROUNDS) as Scheme[])("on the %s ground", (scheme) => {
  const { sea, land, home, outline, clusters } = GROUNDS[scheme];

  test.each([sea, land, home])("of %s dams and groups stand out", (ground) => {
    for (const mark of [outline, ...clusters]) expect(contrast(mark, ground)).toBeGreaterThanOrEqual(3);
  });
});
