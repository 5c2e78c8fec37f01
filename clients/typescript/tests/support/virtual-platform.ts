/** A platform with a clock that a test turns, a network that it cuts, and sockets that it plays the server of. */
import type { Platform, Tab } from "../../src/platform";

interface Timer {
  at: number;
  callback: () => void;
}

export class VirtualPlatform implements Platform {
  time = 1_800_000_000_000;
  chance = 0.5;
  /** What the platform says of the network, and whether there is one. */
  online = true;
  isReachable = true;
  /** What the next timers are late by, as in a throttled tab. */
  lateness = 0;
  readonly sockets: VirtualSocket[] = [];
  readonly opened: string[] = [];
  readonly left: string[] = [];
  canOpenTabs = true;
  closedTabs = 0;
  answer: (request: Request) => Response | Promise<Response> = () => Response.json({});
  readonly requests: Request[] = [];
  readonly #timers = new Set<Timer>();
  readonly #wakers = new Set<() => void>();
  readonly #networkers = new Set<() => void>();
  readonly #suspenders = new Set<() => void>();
  readonly #resumers = new Set<() => void>();
  #uuids = 0;

  readonly locks = undefined;
  readonly BroadcastChannel = undefined;
  readonly XMLHttpRequest: typeof XMLHttpRequest | undefined = undefined;
  location: string | undefined = "https://page.example/inbox";

  now = (): number => this.time;
  random = (): number => this.chance;
  uuid = (): string => `uuid-${++this.#uuids}`;
  isOnline = (): boolean => this.online;

  readonly WebSocket = makeSocketClass(this.sockets);

  fetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    this.requests.push(request);
    if (!this.isReachable) throw new TypeError("fetch failed");
    const ended = new Promise<never>((_, reject) => {
      init?.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
    });
    return await Promise.race([this.answer(request.clone()), ended]);
  };

  after = (milliseconds: number, callback: () => void): (() => void) => {
    const timer = { at: this.time + milliseconds + this.lateness, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  onWake = (callback: () => void): (() => void) => add(this.#wakers, callback);
  onNetworkChange = (callback: () => void): (() => void) => add(this.#networkers, callback);
  onSuspend = (suspend: () => void, resume: () => void): (() => void) => {
    const ends = [add(this.#suspenders, suspend), add(this.#resumers, resume)];
    return () => ends.forEach((end) => end());
  };

  openTab = (): Tab | null =>
    this.canOpenTabs ? { go: (url) => void this.opened.push(url), close: () => void this.closedTabs++ } : null;

  leaveFor = (url: string): void => void this.left.push(url);

  /** Turn the clock on, and let everything happen that is due until then, in its order. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    await settle();
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers.delete(next);
      this.time = Math.max(this.time, next.at);
      next.callback();
      await settle();
    }
    this.time = end;
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** How many want to know of the page and the network. */
  get watchers(): number {
    return this.#wakers.size + this.#networkers.size;
  }

  /** When the next timer is due, in milliseconds from now; undefined without one. */
  get nextTimer(): number | undefined {
    const times = [...this.#timers].map(({ at }) => at - this.time);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  becomeVisible(): void {
    for (const wake of this.#wakers) wake();
  }

  suspend(): void {
    for (const suspend of this.#suspenders) suspend();
  }

  resume(): void {
    for (const resume of this.#resumers) resume();
  }

  changeNetwork(online: boolean): void {
    this.online = this.isReachable = online;
    for (const change of this.#networkers) change();
    if (online) this.becomeVisible();
  }

  /** The socket that was made last. */
  get socket(): VirtualSocket {
    const last = this.sockets.at(-1);
    if (!last) throw new Error("There is no socket yet.");
    return last;
  }
}

export class VirtualSocket {
  readyState = 0;
  /** Whether the server answers pings. */
  isAlive = true;
  readonly sent: string[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: (() => void) | null = null;

  constructor(readonly url: string) {}

  get query(): URLSearchParams {
    return new URL(this.url).searchParams;
  }

  send(text: string): void {
    this.sent.push(text);
    if (this.isAlive && text === "ping") this.give("pong");
  }

  close(code = 1000): void {
    this.fail(code);
  }

  // What a test does as the server.
  open(pos = "p0", serverTime = 1_800_000_000_000): void {
    this.readyState = 1;
    this.onopen?.();
    this.give({ type: "HELLO", pos, data: { server_time_ms: serverTime } });
  }

  give(frame: unknown): void {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }

  fail(code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

/** Let all promises that can go on do so. */
export async function settle(turns = 5): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function add<T>(all: Set<T>, one: T): () => void {
  all.add(one);
  return () => void all.delete(one);
}

function makeSocketClass(made: VirtualSocket[]) {
  return class extends VirtualSocket {
    constructor(url: string) {
      super(url);
      made.push(this);
    }
  };
}
