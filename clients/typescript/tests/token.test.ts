import { expect, test, vi } from "vitest";
import { TokenSource } from "../src/api/token";
import { makeToken } from "./support/core";

test("however many want a token, it is asked for once, and kept", async () => {
  const ask = vi.fn(async () => makeToken(7));
  const tokens = new TokenSource(ask, () => {});
  const all = await Promise.all([tokens.load(), tokens.load(), tokens.me.load()]);
  expect(all).toEqual([makeToken(7), makeToken(7), 7]);
  expect(await tokens.load()).toBe(makeToken(7));
  expect(ask.mock.calls).toEqual([["start"]]);
});

test("a token is asked for again after it was refused, with the reason, and once for all who used it", async () => {
  const ask = vi.fn((reason: string) => makeToken(7, reason));
  const tokens = new TokenSource(ask, () => {});
  const first = await tokens.load();
  tokens.refuse(first, "expired");
  const second = await tokens.load();
  tokens.refuse(first, "refused");
  expect(await tokens.load()).toBe(second);
  expect(ask.mock.calls).toEqual([["start"], ["expired"]]);
});

test.each([null, "", undefined])("when `getToken` gives %j, the person is signed out, and it is not asked again until reset", async (nothing) => {
  const ask = vi.fn(() => nothing as string | null);
  const onSignedOut = vi.fn();
  const tokens = new TokenSource(ask, onSignedOut);
  const failed = await Promise.allSettled([tokens.load(), tokens.load()]);
  expect(failed.map((one) => one.status === "rejected" && one.reason.code)).toEqual(["SIGNED_OUT", "SIGNED_OUT"]);
  await expect(tokens.load()).rejects.toMatchObject({ code: "SIGNED_OUT" });
  expect(ask).toHaveBeenCalledTimes(1);
  expect(onSignedOut).toHaveBeenCalledTimes(1);
  tokens.reset();
  await expect(tokens.load()).rejects.toMatchObject({ code: "SIGNED_OUT" });
  expect(ask).toHaveBeenCalledTimes(2);
});

test("a `getToken` that throws or rejects fails those who wait, with its error as the cause, and is asked again by the next", async () => {
  const cause = new Error("no network");
  const ask = vi
    .fn()
    .mockImplementationOnce(() => {
      throw cause;
    })
    .mockRejectedValueOnce(cause)
    .mockReturnValue(makeToken(7));
  const tokens = new TokenSource(ask, () => {});
  await expect(tokens.load()).rejects.toMatchObject({ code: "NO_TOKEN", isTemporary: true, cause });
  await expect(tokens.load()).rejects.toMatchObject({ code: "NO_TOKEN", cause });
  expect(await tokens.load()).toBe(makeToken(7));
});

test("the person is the token's `sub`, known as soon as there is a token", async () => {
  const tokens = new TokenSource(() => makeToken(31001, "~~~???"), () => {});
  expect(tokens.me.get()).toBeNull();
  expect(await tokens.me.load()).toBe(31001);
  expect(tokens.me.get()).toBe(31001);
});

test.each(["opaque", "a.b.c", `x.${btoa('{"sub":"mei"}')}.x`, `x.${btoa('{"sub":"0"}')}.x`, `x.${btoa("{}")}.x`])(
  "of the token %s it is said that it names nobody, and the server may still be asked with it",
  async (token) => {
    const tokens = new TokenSource(() => token, () => {});
    expect(await tokens.load()).toBe(token);
    expect(tokens.me.get()).toBeNull();
    await expect(tokens.me.load()).rejects.toMatchObject({ code: "NOT_CONFIGURED" });
  },
);

test("when `getToken` gives another person's token, the first one is signed out, and nothing is done as the other", async () => {
  let person = 7;
  const onSignedOut = vi.fn();
  const tokens = new TokenSource(() => makeToken(person), onSignedOut);
  tokens.refuse(await tokens.load(), "expired");
  person = 8;
  await expect(tokens.load()).rejects.toMatchObject({ code: "SIGNED_OUT" });
  expect(onSignedOut).toHaveBeenCalledTimes(1);
  expect(tokens.get()).toBeNull();
  expect(tokens.me.get()).toBe(7);
  person = 7;
  tokens.reset();
  expect(await tokens.load()).toBe(makeToken(7));
});
