/** A tab's own connection to a server that tells numbered events, each as the recall of a message with that number. */
import { Listeners } from "../../src/listeners";
import { Variable } from "../../src/observable";
import type { ConnectionState, Frame, SocketConnection, StopReason } from "../../src/types";
import type { Tab } from "./tab-world";

export class FakeSocket implements SocketConnection {
  readonly state = new Variable<ConnectionState>({ status: "idle" });
  readonly clockOffset = new Variable(0);
  readonly position: Variable<string | null>;
  /** Whether the server has it among its sockets. */
  isOpen = false;
  /** Whether the tab has let it go. */
  isLetGo = false;
  wakes = 0;
  readonly #frames = new Listeners<[Frame]>();
  readonly #fresh = new Listeners<[]>();

  constructor(
    readonly tab: Tab,
    readonly since: string | null,
  ) {
    this.position = new Variable(since);
  }

  start(): void {
    this.#connect();
  }

  stop(reason: StopReason = "closed"): void {
    if (this.isLetGo) return;
    this.isLetGo = true;
    this.isOpen = false;
    this.state.set({ status: "stopped", reason, code: null, error: null });
  }

  wake(): void {
    this.wakes += 1;
  }

  onFrame(listener: (frame: Frame) => void): () => void {
    return this.#frames.add(listener);
  }

  onFresh(listener: () => void): () => void {
    return this.#fresh.add(listener);
  }

  // What a test does.

  /** The network breaks; the socket comes back by itself. */
  drop(): void {
    this.isOpen = false;
    this.#queue(() => this.#connect());
  }

  /** The server ends it for good. */
  end(state: ConnectionState): void {
    this.isOpen = false;
    this.isLetGo = true;
    this.#queue(() => this.state.set(state), true);
  }

  /** The server tells where to go on, without an event. */
  tellPosition(): void {
    const pos = `p-${this.tab.world.head}-7`;
    this.#queue(() => this.position.set(pos));
  }

  /** `owner` stands for what differs in the position of the same event when it is told again. */
  tell(event: number, owner: string): void {
    const pos = `p-${event}-${owner}`;
    this.#queue(() => this.#pass({ type: "MESSAGE_RECALLED", pos, data: { id: event, conversation_id: 8 } }));
  }

  #connect(): void {
    this.state.set({ status: "connecting", attempt: 1 });
    this.#queue(() => this.#open());
  }

  #open(): void {
    const { world } = this.tab;
    const since = this.position.get();
    this.isOpen = true;
    this.clockOffset.set(5);
    this.state.set({ status: "open" });
    if (since === null) {
      this.#fresh.call();
      this.position.set(`p-${world.head}-7`);
      return;
    }
    const known = Number(since.split("-")[1]);
    if (known < world.forgotten) {
      this.#fresh.call();
      this.#pass({ type: "RESYNC", pos: `p-${world.head}-7` });
      return;
    }
    for (let event = known + 1; event <= world.head; event++) this.tell(event, "7");
  }

  #pass(frame: Frame): void {
    this.#frames.call(frame);
    this.position.set(frame.pos);
  }

  #queue(run: () => void, always = false): void {
    const wasOpen = this.isOpen;
    this.tab.queue(`socket ${this.tab.sockets.indexOf(this)}`, () => {
      // What a broken socket still had to tell is lost.
      if (always || (!this.isLetGo && (this.isOpen || !wasOpen))) run();
    });
  }
}
