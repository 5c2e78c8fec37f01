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
  "many": [desktop, "peer=31002&many=5000&all=1"],
};
for (const [name, [viewport, query, act]] of Object.entries(shots)) {
  if (wanted.length && !wanted.includes(name)) continue;
  const page = await browser.newPage({ viewport, deviceScaleFactor: 1, hasTouch: viewport === phone });
  page.on("console", (one) => console.log(name, one.type(), one.text()));
  page.on("pageerror", (error) => console.log(name, "ERROR", error.message));
  await page.goto(`${address}?${query}`);
  await page.waitForTimeout(700);
  await page.screenshot({ path: `${folder}/${name}.png` });
  await page.close();
}
await browser.close();
await server.close();
