import fc from "fast-check";
import { expect, test } from "vitest";
import { pickPause } from "../src/backoff";

test("a pause is anything from 0 to a limit that doubles with every failure, up to the longest", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failures, random) => {
      const limit = Math.min(30_000, 1_000 * 2 ** (failures - 1));
      const pause = pickPause(failures, random);
      expect(pause).toBeCloseTo(random * limit, 6);
      expect(pause).toBeLessThan(limit);
    }),
  );
});
