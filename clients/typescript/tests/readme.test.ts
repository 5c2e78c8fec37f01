import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");

test("the test that the README shows is one that runs here, word for word", () => {
  expect(read("../README.md")).toContain(read("readme-sample.test.ts"));
});
