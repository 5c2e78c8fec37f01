import { expect, inject, test } from "vitest";
import { live } from "../../typescript/tests/live/live";
import { until, useDesk } from "../support/people";

const desk = useDesk();
const CROWD = 10_000;

test("a card's button ends at the app, which knows who has come", async () => {
  const mei = await live.newPerson("梅里");
  const hers = await desk.sitDown(mei);
  const target = `${inject("demoApp")}/todo/123`;
  await live.do("send", {
    receiver_id: mei.id,
    title: "Leave request",
    content: { Applicant: "Tao Ran", Days: 5 },
    auto_sso: true,
    target_url: target,
    action_text: "Decide",
  });
  await hers.open("OA系统");
  await hers.said("Leave request").getByText("Tao Ran").waitFor();
  const [app] = await Promise.all([
    hers.page.context().waitForEvent("page"),
    hers.said("Leave request").getByRole("button", { name: "Decide" }).click(),
  ]);
  await app.getByRole("heading", { name: "Welcome, 梅里" }).waitFor();
  expect(await app.locator("#next").innerText()).toBe(target);
});

test("a broadcast to ten thousand arrives in both open windows", async () => {
  const [mei, tao] = [await live.newPerson("梅园"), await live.newPerson("陶罐")];
  const [hers, his] = [await desk.sitDown(mei), await desk.sitDown(tao)];
  // Ids of the crowd are above theirs, so the broadcast reaches them among the first and the crowd after them.
  await live.do("new_crowd", { size: CROWD });
  const { id } = await live.do<{ id: number }>("send", { is_broadcast: true, title: "To all", content: "The lifts stand still on Friday." });
  for (const inbox of [hers, his]) {
    await inbox.open("OA系统");
    await inbox.said("The lifts stand still on Friday.").waitFor();
  }
  await until(
    () => live.do<{ status: string; total: number }>("broadcast", { id }),
    ({ status, total }) => status === "DONE" && total >= CROWD,
  );
});
