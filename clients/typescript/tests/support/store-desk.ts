/** What a part of the store is tested with: its context, and a REST whose every answer a test gives by hand. */
import { CarillonError } from "../../src/api/errors";
import { Activity } from "../../src/store/activity";
import type { StoreContext } from "../../src/store/context";
import { toMessage } from "../../src/store/messages";
import type { ApiMessage, Message, PushedMessage, Rest } from "../../src/types";
import { settle, VirtualPlatform } from "./virtual-platform";

export const ME = 1;
export const PEER = 8;

/** A request that waits for its answer. */
export interface Asked {
  /** What it asks for: `send`, `getHistory` and so on. */
  name: keyof Rest;
  given: unknown[];
  answer(body: unknown): Promise<void>;
  fail(error: unknown): Promise<void>;
}

export class StoreDesk {
  readonly platform = new VirtualPlatform();
  readonly asked: Asked[] = [];
  readonly context: StoreContext = {
    rest: new Proxy({} as Rest, { get: (_, name) => (...given: unknown[]) => this.#ask(name as keyof Rest, given) }),
    platform: this.platform,
    activity: new Activity(),
    recalled: new Set(),
    forms: new Map(),
    person: () => ME,
  };

  /** The requests of that name so far, the oldest first. */
  all(name: keyof Rest): Asked[] {
    return this.asked.filter((one) => one.name === name);
  }

  /** The newest request of that name. */
  last(name: keyof Rest): Asked {
    const found = this.all(name).at(-1);
    if (!found) throw new Error(`Nothing has asked for ${name}.`);
    return found;
  }

  /** Whether nothing is in flight. */
  async isSettled(): Promise<boolean> {
    let isSettled = false;
    void this.context.activity.settled().then(() => (isSettled = true));
    await settle();
    return isSettled;
  }

  #ask(name: keyof Rest, given: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const end = async (act: () => void): Promise<void> => {
        act();
        await settle();
      };
      this.asked.push({ name, given, answer: (body) => end(() => resolve(body)), fail: (error) => end(() => reject(error)) });
    });
  }
}

/** A message as the API answers it; mine to the peer if nothing else is said. */
export function makeAnswer(given: Partial<ApiMessage> = {}): ApiMessage {
  const { is_read: _read, read_at: _at, read_at_ms: _ms, sender_name: _name, conversation_id: _peer, ...message } = makePushed();
  return { ...message, is_read: false, read_at: null, read_at_ms: null, ...given } as ApiMessage;
}

/** The same as a frame brings it. */
export function makePushed(given: Partial<PushedMessage> = {}): PushedMessage & Record<string, unknown> {
  return {
    id: 50,
    sender_id: ME,
    sender_name: "me",
    receiver_id: PEER,
    conversation_id: PEER,
    app_id: null,
    app_name: null,
    type: "MESSAGE",
    content_type: "TEXT",
    title: "t",
    content: "hello",
    filename: null,
    action_url: null,
    action_text: null,
    created_at: "2027-01-15T08:00:00",
    created_at_ms: 1_800_000_000_000,
    client_ref: null,
    state: null,
    state_text: null,
    ref: null,
    version: 1,
    ...given,
  } as PushedMessage & Record<string, unknown>;
}

/** A message of the store's own kind, of the peer if nothing else is said. */
export function makeShown(given: Partial<Message> = {}): Message {
  return { ...toMessage(makeAnswer({ sender_id: PEER, receiver_id: ME }), PEER, ME), ...given };
}

/** What the API refuses, as `Rest` tells it. */
export function refuse(status: number, code: string, retryAfter: number | null = null): CarillonError {
  return new CarillonError(`It is ${code}.`, { status, code, retryAfter, requestId: "r-1" });
}
