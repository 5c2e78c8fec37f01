import { expect, test } from "vitest";
import { live } from "../../typescript/tests/live/live";
import { send } from "../support/api";
import { useDesk } from "../support/people";

const desk = useDesk();

test("after the gateway was killed and is back, nothing is missing and nothing is there twice", async () => {
  const [mei, tao] = [await live.newPerson("梅兰"), await live.newPerson("陶冶")];
  const hers = await desk.sitDown(mei);
  await send(tao, mei, "before");
  await hers.open("陶冶");
  await hers.said("before").waitFor();
  await live.do("kill_gateway");
  await send(tao, mei, "while nobody was connected");
  await hers.write("written at once");
  await send(tao, mei, "after");
  await hers.said("after").waitFor({ timeout: 60_000 });
  await hers.said("written at once").getByLabel("Sent").waitFor({ timeout: 60_000 });
  const texts = await hers.said().locator("p.said").allInnerTexts();
  const said = texts.map((text) => text.split("\n")[0]?.replace(/\d\d:\d\d.*$/, "").trim());
  expect([...said].sort()).toEqual(["after", "before", "while nobody was connected", "written at once"]);
});

test("a person without a network is told so, writes all the same, and catches up", async () => {
  const [mei, tao] = [await live.newPerson("梅岭"), await live.newPerson("陶瓷")];
  const [hers, his] = [await desk.sitDown(mei), await desk.sitDown(tao)];
  await send(tao, mei, "hello");
  await hers.open("陶瓷");
  await hers.said("hello").waitFor();
  await hers.page.context().setOffline(true);
  await hers.page.getByText(/no network|offline/i).first().waitFor();
  await send(tao, mei, "are you there?");
  await hers.page.context().setOffline(false);
  await hers.said("are you there?").waitFor({ timeout: 60_000 });
  await hers.write("back again");
  await his.open("梅岭");
  await his.said("back again").waitFor();
  expect(await hers.said("are you there?").count()).toBe(1);
});

test("when the server has forgotten what was missed, everything is read again", async () => {
  const [mei, tao] = [await live.newPerson("梅林"), await live.newPerson("陶艺")];
  const hers = await desk.sitDown(mei);
  await send(tao, mei, "one");
  await hers.open("陶艺");
  await hers.said("one").waitFor();
  await live.do("stop_gateway");
  await live.do("expire_bus");
  await live.do("start_gateway");
  await send(tao, mei, "two");
  await hers.said("two").waitFor({ timeout: 60_000 });
  expect(await hers.said("two").count()).toBe(1);
});
