import { expect, inject, test } from "vitest";
import { live } from "../../typescript/tests/live/live";
import { send } from "../support/api";
import { Inbox, PHONE, until, useDesk } from "../support/people";

const desk = useDesk();

test("in a portal on another origin the element shows the person's inbox, and the portal its count", async () => {
  const [mei, tao] = [await live.newPerson("梅溪"), await live.newPerson("陶勇")];
  const page = await (await desk.newContext()).newPage();
  await page.goto(`${inject("portal")}/?person=${mei.id}`);
  const inbox = new Inbox(page);
  await send(tao, mei, "across origins");
  await page.locator("#badge").getByText("1").waitFor();
  await inbox.open("陶勇");
  await inbox.said("across origins").waitFor();
  await inbox.write("and back");
  await inbox.said("and back").getByLabel("Sent").waitFor();
});

test("a token that ends while the page is open is replaced, and nothing is missed", async () => {
  const [mei, tao] = [await live.newPerson("梅清"), await live.newPerson("陶醉")];
  const page = await (await desk.newContext()).newPage();
  await page.goto(`${inject("portal")}/?person=${mei.id}&seconds=6`);
  const inbox = new Inbox(page);
  await send(tao, mei, "0");
  await inbox.open("陶醉");
  await until(() => page.locator("#tokens").innerText(), (tokens) => Number(tokens) >= 3, 40);
  await send(tao, mei, "after three tokens");
  await inbox.said("after three tokens").waitFor();
  expect(await inbox.said("after three tokens").count()).toBe(1);
});

test("on a phone there is one pane, and a way back", async () => {
  const [mei, tao] = [await live.newPerson("梅红"), await live.newPerson("陶乐乐")];
  await send(tao, mei, "in the pocket");
  const hers = await desk.sitDown(mei, { viewport: PHONE });
  await hers.open("陶乐乐");
  await hers.said("in the pocket").waitFor();
  expect(await hers.conversation("陶乐乐").isVisible()).toBe(false);
  await hers.page.getByRole("button", { name: "Back to the list" }).click();
  await hers.conversation("陶乐乐").waitFor();
});
