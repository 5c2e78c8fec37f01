/** Figures that people feel, printed. Only what no machine could miss is asserted: they are compared by eye. */
import { expect, test } from "vitest";
import { live } from "../../typescript/tests/live/live";
import { send } from "../support/api";
import { useDesk } from "../support/people";

const desk = useDesk();

test("how soon the first conversation is there, and how smoothly a long history scrolls", async () => {
  const [mei, tao] = [await live.newPerson("梅庄"), await live.newPerson("陶朱")];
  for (let from = 0; from < 500; from += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, number) => send(tao, mei, `line ${from + number}`)));
  }
  const began = Date.now();
  const hers = await desk.sitDown(mei);
  await hers.conversation("陶朱").waitFor();
  console.log(`the first conversation was there after ${Date.now() - began} ms (browser and page included)`);
  await hers.open("陶朱");
  await hers.said().first().waitFor();
  const frames = await hers.page.evaluate(async () => {
    const find = (root: ParentNode): Element | null => {
      for (const one of root.querySelectorAll("*")) {
        const found = one.matches("[role=log]") ? one : one.shadowRoot && find(one.shadowRoot);
        if (found) return found;
      }
      return null;
    };
    const scroller = find(document);
    const times: number[] = [];
    for (let number = 0; scroller && number < 240; number++) {
      scroller.scrollTop -= 120;
      const now = performance.now();
      await new Promise(requestAnimationFrame);
      times.push(performance.now() - now);
    }
    return times.sort((one, other) => one - other);
  });
  const at = (share: number): string => (frames[Math.floor(frames.length * share)] ?? NaN).toFixed(1);
  console.log(`frames while scrolling up: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, worst ${at(0.999)} ms`);
  expect(frames.length).toBe(240);
});
