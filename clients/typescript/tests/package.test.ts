/** The package as its users get it: `npm run build` comes first. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("..", import.meta.url).pathname;
const isBuilt = existsSync(`${root}dist/index.js`) && existsSync(`${root}dist/index.cjs`);
const USE = `
  if (typeof window !== "undefined") throw new Error("There is a window.");
  const client = createClient({ baseUrl: "https://api.example", getToken: () => null });
  client.rest.getUnreadCount().catch((error) => console.log(error instanceof CarillonError, error.code));
`;

function run(type: "module" | "commonjs", text: string): string {
  return execFileSync(process.execPath, [`--input-type=${type}`, "-e", text], { cwd: root, encoding: "utf8" }).trim();
}

test.runIf(isBuilt)("the built package is imported and used in Node, where there is no window", () => {
  expect(run("module", `import { CarillonError, createClient } from "@carillon/client";${USE}`)).toBe("true SIGNED_OUT");
});

test.runIf(isBuilt)("the built package is required in Node, where there is no window", () => {
  expect(run("commonjs", `const { CarillonError, createClient } = require("@carillon/client");${USE}`)).toBe("true SIGNED_OUT");
});

const USE_FAKE = `
  const server = createFakeServer({ people: [{ id: 1, name: "Ann" }] });
  createClient(server.optionsFor(1)).rest.searchPeople("A").then((found) => console.log(found[0].name));
`;

test.runIf(isBuilt)("the built fake server answers the built client, imported and required", () => {
  const names = ["{ createClient } = require('@carillon/client')", "{ createFakeServer } = require('@carillon/client/testing')"];
  const required = names.map((one) => `const ${one};`).join("");
  const imported = "import { createClient } from '@carillon/client'; import { createFakeServer } from '@carillon/client/testing';";
  expect([run("module", imported + USE_FAKE), run("commonjs", required + USE_FAKE)]).toEqual(["Ann", "Ann"]);
});

test.runIf(isBuilt).each(["index.js", "index.cjs"])("%s works under a strict CSP: no eval, no inline style or markup", (name) => {
  const text = readFileSync(`${root}dist/${name}`, "utf8");
  expect(text).not.toMatch(/\beval\(|new Function|setTimeout\(["'`]|\.innerHTML|\.style\b|setAttribute\(["'`]style/);
});

test.runIf(isBuilt)("every entry of the package has its types beside it, for import and for require", () => {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
    exports: Record<string, Record<string, { types: string; default: string }>>;
  };
  for (const entry of Object.values(exports)) {
    for (const { types, default: code } of Object.values(entry)) {
      expect(existsSync(root + types), types).toBe(true);
      expect(existsSync(root + code), code).toBe(true);
    }
  }
});
