import { expect, test } from "vitest";
import { live } from "../../typescript/tests/live/live";
import { useDesk } from "../support/people";

const desk = useDesk();

test("two people in two windows write to each other, and see what was read", async () => {
  const [mei, tao] = [await live.newPerson("梅晓"), await live.newPerson("陶然")];
  const [hers, his] = [await desk.sitDown(mei), await desk.sitDown(tao)];
  await hers.find("陶然");
  await hers.write("Lunch at noon?");
  await hers.said("Lunch at noon?").getByLabel("Sent").waitFor();

  // His list has her at once; nothing is read before he looks.
  await his.badge("梅晓").getByText("1").waitFor();
  await his.open("梅晓");
  await his.said("Lunch at noon?").waitFor();
  await his.badge("梅晓").waitFor({ state: "detached" });
  await his.write("At the corner.");
  await hers.said("At the corner.").waitFor();
  expect(await hers.said().count()).toBe(2);
  expect(await his.said().count()).toBe(2);
});

test("what is taken back is gone from both windows", async () => {
  const [mei, tao] = [await live.newPerson("梅晨"), await live.newPerson("陶乐")];
  const [hers, his] = [await desk.sitDown(mei), await desk.sitDown(tao)];
  await hers.find("陶乐");
  await hers.write("A slip of the tongue");
  await his.open("梅晨");
  await his.said("A slip of the tongue").waitFor();
  await hers.said("A slip of the tongue").hover();
  await hers.page.getByRole("button", { name: "Actions" }).last().click();
  await hers.page.getByRole("menuitem", { name: "Take back" }).click();
  await hers.page.getByRole("dialog").getByRole("button", { name: "Take back" }).click();
  await hers.said("A slip of the tongue").waitFor({ state: "detached" });
  await his.said("A slip of the tongue").waitFor({ state: "detached" });
});

test("what is read in one window is read in the other of the same person", async () => {
  const [mei, tao] = [await live.newPerson("梅雨"), await live.newPerson("陶渊")];
  const [hers, phone, his] = [await desk.sitDown(mei), await desk.sitDown(mei), await desk.sitDown(tao)];
  await his.find("梅雨");
  await his.write("Twice at hand");
  await phone.badge("陶渊").getByText("1").waitFor();
  await hers.open("陶渊");
  await phone.badge("陶渊").waitFor({ state: "detached" });
});
