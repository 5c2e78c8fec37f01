import fc from "fast-check";
import { expect, test } from "vitest";
import { type Tab, World } from "./support/tab-world";

type Command = { name: Happening } | { name: "step"; choice: number } | { name: Deed; which: number };
type Happening = "join" | "publish" | "settle" | "time" | "wait";
type Deed = "close" | "restart" | "crash" | "drop" | "freeze" | "thaw" | "putAway" | "bringBack" | "forget" | "position" | "look";

const COMMON: Deed[] = ["close", "restart", "crash", "drop", "position", "look"];
const HARD: Deed[] = ["freeze", "freeze", "thaw", "putAway", "bringBack", "forget"];

const ALL: Happening[] = ["join", "publish", "settle", "time", "wait"];

interface Plan {
  tabs: number;
  commands: Command[];
}

/** Some tabs that know each other, and what happens to them then. */
function arbitraryPlan(deeds: Deed[], happenings: Happening[]): fc.Arbitrary<Plan> {
  const step = fc.record({ name: fc.constant("step" as const), choice: fc.nat(50) });
  const deed = fc.record({ name: fc.constantFrom(...deeds), which: fc.nat(20) });
  const happening = fc.record({ name: fc.constantFrom(...happenings) });
  const command = fc.oneof({ weight: 4, arbitrary: step }, { weight: 3, arbitrary: happening }, { weight: 2, arbitrary: deed });
  return fc.record({ tabs: fc.nat(3), commands: fc.array(command, { minLength: 10, maxLength: 100, size: "max" }) });
}

async function perform(world: World, plan: Plan): Promise<void> {
  for (let number = 0; number < plan.tabs; number++) world.join();
  await world.settle();
  for (const command of plan.commands) await performOne(world, command);
}

async function performOne(world: World, command: Command): Promise<void> {
  const living = world.tabs.filter(({ isAlive }) => isAlive);
  if ("choice" in command) return void (await world.step(command.choice));
  if ("which" in command) {
    const tab = living[command.which % Math.max(1, living.length)];
    return void (tab && (await act(world, tab, command.name)));
  }
  if (command.name === "join") return void (living.length < 5 && world.join());
  if (command.name === "publish") return world.publish();
  if (command.name === "settle") return world.settle();
  if (command.name === "time") return passRoughly(world);
  return world.pass(30_000);
}

async function act(world: World, tab: Tab, deed: Deed): Promise<void> {
  if (deed === "forget") world.forgotten = world.head;
  if (deed === "crash") tab.crash();
  if (deed === "drop") tab.sockets.filter(({ isOpen }) => isOpen).forEach((socket) => socket.drop());
  if (deed === "position") tab.sockets.filter(({ isOpen }) => isOpen).forEach((socket) => socket.tellPosition());
  if (deed === "thaw") tab.isFrozen = false;
  if (deed === "bringBack") tab.bringBack();
  if (!tab.isRunning) return;
  if (deed === "close") tab.connection.stop();
  if (deed === "restart") tab.connection.start();
  if (deed === "look") tab.becomeVisible();
  if (deed === "freeze") tab.isFrozen = true;
  if (deed === "putAway") await tab.putAway();
}

/** Timers are due, and what the tabs said to each other meanwhile is still on its way. */
async function passRoughly(world: World): Promise<void> {
  world.time += 7_000;
  for (const tab of world.tabs) {
    for (const timer of tab.timers) if (tab.isRunning && tab.timers.includes(timer) && timer.at <= world.time) timer.fire();
  }
}

/** Everybody goes on, and time passes until nothing is in flight. */
async function calmDown(world: World): Promise<Tab[]> {
  for (const tab of world.tabs) tab.bringBack();
  await world.pass(300_000);
  return world.tabs.filter(({ isAlive, status }) => isAlive && !["idle", "stopped"].includes(status));
}

function expectExactness(world: World, living: Tab[]): void {
  expect(world.violations.join("; ")).toBe("");
  expect(living.filter(({ status }) => status !== "open").map(({ status }) => status)).toEqual([]);
  expect(living.filter(({ isUpToDate }) => !isUpToDate).map(({ seen }) => seen)).toEqual([]);
  expect(world.openSockets.length).toBe(living.length > 0 ? 1 : 0);
}

const SEED = Number(process.env["CARILLON_FC_SEED"] ?? Date.now() % 2 ** 31);
const RUNS = { numRuns: Number(process.env["TABS_RUNS"] ?? 300), seed: SEED };

test("whatever tabs join, close, crash and go on, every tab is told each frame once, in order, and reads everything anew only at its beginning", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryPlan(COMMON, ["join", "publish", "settle"]), async (plan) => {
      const world = new World();
      await perform(world, plan);
      const wasStopped = new Set(plan.commands.some(({ name }) => name === "restart") ? world.tabs : []);
      expectExactness(world, await calmDown(world));
      for (const tab of world.tabs) if (!wasStopped.has(tab)) expect(tab.freshCount).toBeLessThanOrEqual(1);
    }),
    RUNS,
  );
}, 120_000);

const HARD_TIMES = "however tabs freeze, are put away and come back, and lose their leader, between two times that a tab reads everything anew it is told each frame once, in order, without a gap";

test(HARD_TIMES, async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryPlan([...COMMON, ...HARD], ALL), async (plan) => {
      const world = new World({ keepsOrder: true, mayRepeat: true });
      await perform(world, plan);
      expectExactness(world, await calmDown(world));
    }),
    RUNS,
  );
}, 120_000);

test(`${HARD_TIMES}, even on channels that keep no order between tabs`, async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryPlan([...COMMON, ...HARD], ALL), async (plan) => {
      const world = new World({ keepsOrder: false, mayRepeat: true });
      await perform(world, plan);
      expectExactness(world, await calmDown(world));
    }),
    RUNS,
  );
}, 120_000);
