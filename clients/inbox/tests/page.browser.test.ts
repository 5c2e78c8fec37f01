/** The page of /inbox as it is shipped, under the server's own policy: who comes in, and how. The server is played here. */
import type { Page, Route } from "playwright-core";
import { describe, expect, it } from "vitest";
import { listBarriers, useBrowser } from "./browser";

const open = useBrowser();
const MEI = { id: 9_000_000_000_001, name: "演示 梅" };

/** A token that nobody checks here: its `sub` is all that the page reads. */
const token = (sub: number): string => `e30.${Buffer.from(JSON.stringify({ sub: String(sub) })).toString("base64url")}.x`;

const say = (route: Route, json: unknown, status = 200): Promise<void> => route.fulfill({ json, status });

/** A server that knows these demo people, and says 401 to every call if it `refuses`. */
function play(people: unknown, { refuses = false, asked = [] as unknown[] } = {}): (page: Page) => Promise<void> {
  return async (page) => {
    await page.route("**/config.json", (route) => say(route, { demo_people: people }));
    await page.route("**/demo/sign-in", (route) => {
      asked.push(route.request().postDataJSON());
      return say(route, { token: token(MEI.id), expires_in: 3600 });
    });
    await page.route("**/api/v1/**", (route) => {
      asked.push(route.request().headers()["authorization"]);
      if (refuses) return say(route, { detail: "The token has expired.", code: "TOKEN_EXPIRED", request_id: "r1" }, 401);
      const path = new URL(route.request().url()).pathname;
      if (path.endsWith("/conversations")) return say(route, []);
      if (path.endsWith("/unread-count")) return say(route, { total: 0 });
      return say(route, { detail: "away", code: "UNAVAILABLE", request_id: "r2" }, 503);
    });
  };
}

describe("signing in", () => {
  it("as one of the demo's people asks the server for their token and shows their inbox, also after a reload", async () => {
    const asked: unknown[] = [];
    const page = await open({ prepare: play([MEI], { asked }) });
    await page.getByText("This server lets its example people in", { exact: false }).or(page.getByText("A demonstration", { exact: false })).waitFor();
    expect(await listBarriers(page)).toEqual([]);
    await page.getByRole("button", { name: "演示 梅" }).click();
    await page.getByText("No conversations yet").waitFor();
    expect(asked).toContainEqual({ id: MEI.id });
    expect(asked).toContain(`Bearer ${token(MEI.id)}`);
    await page.reload();
    await page.getByText("No conversations yet").waitFor();
  });

  it("with a token keeps it in this tab only, and signing out forgets it", async () => {
    const page = await open({ prepare: play(null) });
    expect(await listBarriers(page)).toEqual([]);
    await page.getByLabel("Token").fill(`Bearer ${token(7)}`);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("No conversations yet").waitFor();
    expect(await page.evaluate(() => [JSON.stringify(localStorage).includes("e30."), JSON.stringify(sessionStorage).includes("e30.")])).toEqual([false, true]);
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").waitFor();
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  });

  it("with a token that is not accepted leads back, and says so", async () => {
    const page = await open({ prepare: play(null, { refuses: true }) });
    await page.getByLabel("Token").fill(token(7));
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("The token has ended or is not accepted.").waitFor();
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  });

  it("without a server says that it could not be started", async () => {
    const page = await open({ prepare: (page) => page.route("**/config.json", (route) => route.abort()) });
    await page.getByText("The page could not be started. The server did not answer.").waitFor();
  });
});

describe("the address", () => {
  it("has the open conversation, so that the browser's back button leads to the list", async () => {
    const page = await open({ prepare: play([MEI]) });
    await page.getByRole("button", { name: "演示 梅" }).click();
    await page.getByText("No conversations yet").waitFor();
    await page.evaluate(() => document.querySelector("carillon-inbox")?.open(31002));
    expect(new URL(page.url()).hash).toBe("#/31002");
    await page.goBack();
    await page.getByText("Choose a conversation").waitFor({ timeout: 5000 });
    await page.goForward();
    await page.getByRole("heading", { name: "Person 31002" }).waitFor({ timeout: 5000 });
  });
});
