import { expect, test } from "vitest";
import { live } from "../../typescript/tests/live/live";
import { countSockets, send } from "../support/api";
import { Inbox, signIn, until, useDesk } from "../support/people";

const desk = useDesk();
const TABS = 11;

test("eleven tabs of one person hold one socket, and each shows a message once", async () => {
  const [mei, tao] = [await live.newPerson("梅花"), await live.newPerson("陶潜")];
  const before = await until(countSockets, (count) => count === 0);
  const context = await desk.newContext();
  await signIn(context, mei);
  const tabs: Inbox[] = [];
  for (let number = 0; number < TABS; number++) {
    const page = await context.newPage();
    await page.goto(`${live.url}/inbox/#/${tao.id}`);
    tabs.push(new Inbox(page));
  }
  await Promise.all(tabs.map((tab) => tab.page.locator("carillon-inbox-composer").waitFor()));
  await until(countSockets, (count) => count === before + 1);
  await send(tao, mei, "to all of you");
  for (const tab of tabs) await tab.said("to all of you").waitFor();

  // The tab that holds the socket is the first one; another takes over when it goes.
  await tabs[0]?.page.close();
  await send(tao, mei, "to those who stay");
  for (const tab of tabs.slice(1)) {
    await tab.said("to those who stay").waitFor();
    expect(await tab.said("to those who stay").count()).toBe(1);
    expect(await tab.said("to all of you").count()).toBe(1);
  }
  await until(countSockets, (count) => count === before + 1);
});
