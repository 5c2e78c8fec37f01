/** The browser of the tests: Debian's Chromium. */
import { existsSync } from "node:fs";

/** Where it is; undefined if there is none, and tests that need one are skipped. */
export function findChromium(): string | undefined {
  return [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => path && existsSync(path));
}
