import { expect, inject, test } from "vitest";
import { live } from "../../typescript/tests/live/live";
import { askAsApp } from "../support/api";
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

test("an approval that went to three people is done on every open page after one change of the app", async () => {
  const people = await Promise.all(["审批一", "审批二", "审批三"].map((name) => live.newPerson(name)));
  const pages = await Promise.all(people.map((one) => desk.sitDown(one)));
  const ref = `leave-${people.map(({ id }) => id).join("-")}`;
  for (const { id } of people) {
    const card = { title: "Leave of Tao Ran", content: { Days: 5 }, state: "PENDING", state_text: "待处理人审批", ref };
    await live.do("send", { receiver_id: id, ...card });
  }
  for (const inbox of pages) {
    await inbox.open("OA系统");
    await inbox.said("Leave of Tao Ran").getByText("Pending").waitFor();
  }
  const answer = await askAsApp("PATCH", `/messages/by-ref/${ref}`, { state: "DONE", state_text: "已由审批一处理" });
  expect(answer).toEqual({ updated_count: 3 });
  for (const inbox of pages) {
    const card = inbox.said("Leave of Tao Ran");
    await card.getByText("Done", { exact: true }).waitFor();
    await card.getByText("已由审批一处理").waitFor();
    expect(await card.getByText("Pending").count()).toBe(0);
  }
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
