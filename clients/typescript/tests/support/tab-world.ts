/**
 * A browser with tabs of one person, and a server that numbers what it tells them. Nothing happens by itself: whatever a
 * channel, a lock, a socket or a timer brings to a tab waits until the test lets it happen, in any order that it likes.
 */
import type { Platform } from "../../src/platform";
import { SharedConnection } from "../../src/tabs/shared-connection";
import type { Frame } from "../../src/types";
import { FakeLocks } from "./fake-locks";
import { FakeSocket } from "./fake-socket";
import { VirtualPlatform } from "./virtual-platform";

interface Task {
  /** Tasks of the same source happen in their order. */
  source: string;
  run: () => void;
}

interface Rules {
  keepsOrder: boolean;
  mayRepeat: boolean;
  BroadcastChannel?: typeof BroadcastChannel;
}

export class World {
  time = 1_800_000_000_000;
  /** The number of the last event that the server told. */
  head = 0;
  /** Events up to this one cannot be replayed any more. */
  forgotten = 0;
  readonly tabs: Tab[] = [];
  readonly locks = new FakeLocks();
  readonly channels = new Set<FakeChannel>();
  readonly violations: string[] = [];
  #chance = 1;

  /**
   * Without `keepsOrder`, a channel keeps the order only of what one tab sends to another. The standard asks for more.
   * With `mayRepeat`, a tab that reads everything anew may be told again afterwards what it was told before.
   * `BroadcastChannel` takes the place of the world's own.
   */
  constructor(readonly rules: Rules = { keepsOrder: true, mayRepeat: false }) {}

  join(person = 7): Tab {
    const tab = new Tab(this, this.tabs.length, person);
    this.tabs.push(tab);
    tab.connection.start();
    return tab;
  }

  /** Something happens to the person. */
  publish(): void {
    this.head += 1;
    for (const socket of this.openSockets) socket.tell(this.head, "s1");
  }

  get openSockets(): FakeSocket[] {
    return this.tabs.filter(({ isAlive }) => isAlive).flatMap(({ sockets }) => sockets.filter(({ isOpen }) => isOpen));
  }

  get leaders(): Tab[] {
    return this.tabs.filter((tab) => tab.isAlive && tab.sockets.some(({ isLetGo }) => !isLetGo));
  }

  /** Another number each time, the same ones in every world. */
  random(): number {
    this.#chance = (this.#chance * 16_807) % 2_147_483_647;
    return this.#chance / 2_147_483_647;
  }

  /** Let one thing happen; `choice` says which of those that could. False if nothing could. */
  async step(choice = 0): Promise<boolean> {
    await settleMicrotasks();
    const ready = this.tabs.flatMap((tab) => tab.firstTasks);
    const picked = ready[choice % Math.max(1, ready.length)];
    picked?.();
    await settleMicrotasks();
    return picked !== undefined;
  }

  /** Let everything happen that does not need time. */
  async settle(): Promise<void> {
    while (await this.step());
  }

  /** Let time pass, with everything that happens meanwhile. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    await this.settle();
    for (;;) {
      const due = this.tabs.flatMap((tab) => (tab.isRunning ? tab.timers : [])).filter(({ at }) => at <= end);
      const [next] = due.sort((a, b) => a.at - b.at);
      if (!next) break;
      this.time = Math.max(this.time, next.at);
      next.fire();
      await this.settle();
    }
    this.time = end;
  }
}

/** A tab, and what its listeners were told. */
export class Tab {
  readonly connection: SharedConnection;
  readonly platform: Platform;
  readonly sockets: FakeSocket[] = [];
  readonly seen: (number | "fresh" | "resync")[] = [];
  timers: { at: number; fire: () => void }[] = [];
  tasks: Task[] = [];
  isAlive = true;
  isFrozen = false;
  person: number | null;
  /** Why there is no person. */
  failure = new Error("signed out");
  #covered = -Infinity;
  readonly #told = new Set<number>();
  readonly #virtual = new VirtualPlatform();

  constructor(
    readonly world: World,
    readonly number: number,
    person: number,
  ) {
    this.person = person;
    this.platform = this.#makePlatform();
    this.connection = new SharedConnection({
      baseUrl: "",
      platform: this.platform,
      me: { get: () => this.person, load: async () => this.person ?? Promise.reject(this.failure) },
      connect: (since) => {
        const socket = new FakeSocket(this, since);
        this.sockets.push(socket);
        return socket;
      },
    });
    this.connection.onFresh(() => this.#takeFresh());
    this.connection.onFrame((frame) => this.#takeFrame(frame));
  }

  get isRunning(): boolean {
    return this.isAlive && !this.isFrozen;
  }

  get status(): string {
    return this.connection.state.get().status;
  }

  /** How often everything had to be read again. */
  get freshCount(): number {
    return this.seen.filter((one) => one === "fresh").length;
  }

  get frames(): number[] {
    return this.seen.filter((one) => typeof one === "number");
  }

  /** Whether nothing that has happened is unknown to it. */
  get isUpToDate(): boolean {
    return this.#covered >= this.world.head;
  }

  /** What could happen next, of each source. */
  get firstTasks(): (() => void)[] {
    if (!this.isRunning) return [];
    const sources = [...new Set(this.tasks.map(({ source }) => source))];
    return sources.map((source) => () => {
      const place = this.tasks.findIndex((task) => task.source === source);
      const [task] = this.tasks.splice(place, 1);
      task?.run();
    });
  }

  queue(source: string, run: () => void): void {
    if (this.isAlive) this.tasks.push({ source, run });
  }

  /** The process dies: nothing of it is done any more, and its locks are free. */
  crash(): void {
    this.isAlive = false;
    this.tasks = [];
    this.world.locks.free(this);
    for (const channel of [...this.world.channels]) if (channel.tab === this) channel.close();
  }

  /** The page goes into the back-forward cache: it is told, and what was on its way is lost. */
  async putAway(): Promise<void> {
    this.#virtual.suspend();
    await settleMicrotasks();
    this.isFrozen = true;
    this.tasks = this.tasks.filter(({ source }) => source === "lock");
  }

  bringBack(): void {
    this.isFrozen = false;
    this.#virtual.resume();
  }

  becomeVisible(): void {
    this.#virtual.becomeVisible();
  }

  #takeFresh(): void {
    if (this.world.rules.mayRepeat) this.#told.clear();
    this.seen.push("fresh");
    this.#covered = this.world.head;
  }

  #takeFrame(frame: Frame): void {
    if (frame.type !== "MESSAGE_RECALLED") return void this.seen.push("resync");
    const { id } = frame.data;
    const problem = this.#findProblem(id);
    if (problem) this.world.violations.push(`tab ${this.number} was told ${id} ${problem}: ${this.seen.join(" ")}`);
    this.seen.push(id);
    this.#told.add(id);
    this.#covered = Math.max(this.#covered, id);
  }

  #findProblem(id: number): string | null {
    if (this.#told.has(id)) return "twice";
    if (id < Math.max(...this.#told)) return "out of order";
    return id > this.#covered + 1 ? "behind a gap" : null;
  }

  #makePlatform(): Platform {
    const { world } = this;
    const makeChannel = (name: string): FakeChannel => new FakeChannel(this, name);
    return {
      ...this.#virtual,
      now: () => world.time,
      random: () => world.random(),
      uuid: () => `${this.number}-${this.#virtual.uuid()}`,
      after: (milliseconds, fire) => {
        const timer = {
          at: world.time + milliseconds,
          fire: () => {
            this.timers = this.timers.filter((one) => one !== timer);
            fire();
          },
        };
        this.timers.push(timer);
        return () => void (this.timers = this.timers.filter((one) => one !== timer));
      },
      locks: world.locks.open(this),
      BroadcastChannel:
        world.rules.BroadcastChannel ??
        (function (name: string) {
          return makeChannel(name);
        } as unknown as typeof BroadcastChannel),
    };
  }
}

class FakeChannel {
  onmessage: ((event: { data: unknown }) => void) | null = null;

  constructor(
    readonly tab: Tab,
    readonly name: string,
  ) {
    tab.world.channels.add(this);
  }

  postMessage(message: unknown): void {
    if (!this.tab.isAlive) return;
    if (!this.tab.world.channels.has(this)) throw new DOMException("It is closed.", "InvalidStateError");
    const source = this.tab.world.rules.keepsOrder ? "channel" : `channel from ${this.tab.number}`;
    for (const other of this.tab.world.channels) {
      if (other === this || other.name !== this.name) continue;
      const data: unknown = structuredClone(message);
      other.tab.queue(source, () => {
        if (this.tab.world.channels.has(other)) other.onmessage?.({ data });
      });
    }
  }

  close(): void {
    this.tab.world.channels.delete(this);
  }
}

async function settleMicrotasks(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await Promise.resolve();
}
