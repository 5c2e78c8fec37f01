// Pictures of the inbox with the fake client: node dev/look.mjs FOLDER [name…]. Look at them.
import { chromium } from "playwright-core";
import { preview } from "vite";

const [folder = "/tmp/look", ...wanted] = process.argv.slice(2);
const server = await preview({ configFile: new URL("./vite.config.ts", import.meta.url).pathname, preview: { port: 0, strictPort: false } });
const address = server.resolvedUrls.local[0];
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const desktop = { width: 1180, height: 760 };
const phone = { width: 390, height: 780 };
const shots = {
  "light": [desktop, "peer=31002"],
  "dark": [desktop, "peer=31002&theme=dark"],
  "zh-cards": [desktop, "language=zh&peer=-7"],
  "dark-cards": [desktop, "theme=dark&peer=-7"],
  "none": [desktop, ""],
  "phone-list": [phone, "language=zh"],
  "phone-chat": [phone, "language=zh&peer=31002"],
  "phone-dark": [phone, "theme=dark&peer=-7"],
  "rtl": [desktop, "peer=31002&dir=rtl"],
  "failed": [desktop, "peer=31002&fail=1"],
  "loading": [desktop, "peer=31002&delay=60000"],
  "search": [desktop, "", (page) => page.locator("input[type=search]").fill("Liu")],
  "nothing-found": [desktop, "language=zh", (page) => page.locator("input[type=search]").fill("没有这个人")],
  "apps": [desktop, "theme=dark&peer=-9", (page) => page.getByRole("button", { name: "Apps" }).click()],
  "settings": [desktop, "language=zh&peer=31002", (page) => page.getByRole("button", { name: "设置" }).click()],
  "menu": [desktop, "peer=31002", async (page) => {
    await page.getByText("Of course.").nth(1).hover();
    await page.getByRole("button", { name: "Actions" }).last().click();
  }],
  "recall": [phone, "peer=31002&theme=dark", async (page) => {
    await page.getByText("Of course.").first().tap();
    await page.getByRole("button", { name: "Actions" }).last().click();
    await page.getByRole("menuitem", { name: "Take back" }).click();
  }],
  "viewer": [desktop, "peer=31002", (page) => page.getByRole("button", { name: "Look at the picture view" }).click()],
  "unsent": [phone, "peer=31002", async (page) => {
    await page.evaluate(() => (fake.failWith = new CarillonError("down", { code: "NO_ANSWER" })));
    await page.locator("textarea").fill("Does this arrive?");
    await page.keyboard.press("Enter");
  }],
  "offline": [desktop, "peer=31002&theme=dark", (page) => page.evaluate(() => fake.state.set({ status: "waiting", attempt: 2, retryAt: Date.now() + 9000, error: null }))],
  "attached": [desktop, "peer=31002", async (page) => {
    await page.locator("input[type=file]").setInputFiles([{ name: "Plan for the spring.xlsx", mimeType: "application/x", buffer: Buffer.alloc(34567) }, { name: "photo.png", mimeType: "image/png", buffer: Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==", "base64") }]);
    await page.locator("textarea").fill("These are the files");
  }],
  "uploading": [desktop, "peer=31002&delay=250", async (page) => {
    await page.getByText("Of course.").nth(1).waitFor();
    await page.locator("input[type=file]").setInputFiles([{ name: "Plan for the spring.xlsx", mimeType: "application/x", buffer: Buffer.alloc(34567) }]);
    await page.keyboard.press("Enter");
    await page.waitForTimeout(1200);
  }],
  "many": [desktop, "peer=31002&many=5000&all=1"],
};
for (const [name, [viewport, query, act]] of Object.entries(shots)) {
  if (wanted.length && !wanted.includes(name)) continue;
  const page = await browser.newPage({ viewport, deviceScaleFactor: 1, hasTouch: viewport === phone, isMobile: viewport === phone });
  page.on("console", (one) => console.log(name, one.type(), one.text()));
  page.on("pageerror", (error) => console.log(name, "ERROR", error.message));
  await page.goto(`${address}?${query}`);
  await page.waitForTimeout(700);
  await act?.(page);
  if (act) await page.waitForTimeout(500);
  await page.screenshot({ path: `${folder}/${name}.png` });
  await page.close();
}
await browser.close();
await server.close();
