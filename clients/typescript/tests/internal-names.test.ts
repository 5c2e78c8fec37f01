/** The build shortens names of the client's own parts; none of them may be seen or given from outside. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CarillonError, createClient } from "@carillon/client";
import { createFakeServer, FakeServer } from "@carillon/client/testing";
import { INTERNAL_NAMES } from "../scripts/internal-names";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const names = INTERNAL_NAMES.join("|");
const OUTSIDE = [
  "../src/types.ts",
  "../src/platform.ts",
  "../src/observable.ts",
  "../src/cards.ts",
  "../src/react.ts",
  "../src/tabs/notes.ts",
  "../src/api/errors.ts",
  ...readdirSync(new URL("../src/api/generated/", import.meta.url)).map((name) => `../src/api/generated/${name}`),
];

/** What is declared with one of the names: a field, a method, a getter, or a key of an object. */
function listDeclared(path: string): string[] {
  const code = read(path).replace(/\/\*[^]*?\*\/|\/\/.*$/gm, "");
  return [...code.matchAll(new RegExp(`(?<![#.\\w])"?(${names})"?\\??(?=[:(<])`, "g"))].map(([, name]) => name ?? "");
}

test("a check that finds what it looks for", () => {
  expect(listDeclared("../src/store/context.ts")).toEqual(expect.arrayContaining(["activity", "forms", "person", "plan"]));
});

test.each(OUTSIDE)("%s declares none of the names that are shortened", (path) => {
  expect(listDeclared(path)).toEqual([]);
});

test("the client and the fake server have no member with one of the names", () => {
  const server = createFakeServer({ people: [{ id: 1, name: "one" }] });
  const client = createClient(server.optionsFor(1));
  const parts = [client, client.me, client.rest, server, FakeServer.prototype, CarillonError.prototype, new CarillonError("", { code: "NOT_JSON" })];
  const members = parts.flatMap((one) => Object.getOwnPropertyNames(one));
  expect(INTERNAL_NAMES.filter((name) => members.includes(name))).toEqual([]);
});

test("nothing of the platform has one of the names", () => {
  const builtIn = [Array, Map, Set, Promise, String, Number, Object, Date, RegExp, Error, URL, URLSearchParams, Headers, Request, Response];
  const platform = [...builtIn, AbortController, AbortSignal, BroadcastChannel, File, FormData, EventTarget, TextEncoder];
  const members = platform.flatMap((one) => [...Object.getOwnPropertyNames(one), ...Object.getOwnPropertyNames(one.prototype)]);
  const globals = [JSON, Math, crypto].flatMap((one) => Object.getOwnPropertyNames(one));
  const taken = new Set([...members, ...globals, ...Object.getOwnPropertyNames(globalThis)]);
  expect(INTERNAL_NAMES.filter((name) => taken.has(name))).toEqual([]);
});
