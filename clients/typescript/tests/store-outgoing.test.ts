/** What the person sends: shown at once, tried with one key, and reconciled with whichever comes first, answer or frame. */
import { beforeEach, describe, expect, test } from "vitest";
import { HistoryBook } from "../src/store/history-book";
import { OutgoingMessages } from "../src/store/outgoing";
import type { Draft, Message, SendRequest } from "../src/types";
import { makeAnswer, makePushed, ME, PEER, refuse, StoreDesk } from "./support/store-desk";
import { settle } from "./support/virtual-platform";

let desk: StoreDesk;
let book: HistoryBook;
let outgoing: OutgoingMessages;

beforeEach(() => {
  desk = new StoreDesk();
  book = new HistoryBook(desk.context, PEER, (message) => outgoing.noteShown(message));
  outgoing = new OutgoingMessages(desk.context, () => book);
});

/** A history that is loaded and empty, as of a conversation that is on the screen. */
async function open(): Promise<void> {
  book.holders = 1;
  void book.load();
  await settle();
  await desk.last("getHistory").answer([]);
}

/** Send, and wait until the server is asked. */
async function send(draft: Draft = { content: "hello" }): Promise<{ result: Promise<Message>; request: SendRequest; ref: string }> {
  const result = outgoing.send(PEER, draft);
  result.catch(() => {});
  await settle();
  const request = desk.last("send").given[0] as SendRequest;
  return { result, request, ref: request.client_ref ?? "" };
}

const shown = (): Pick<Message, "id" | "content" | "delivery">[] =>
  book.view.get().items.map(({ id, content, delivery }) => ({ id, content, delivery }));

describe("a send", () => {
  test("is shown before the server is asked, with the name and key that it keeps", async () => {
    const { request, ref } = await send();
    expect(book.view.get().items).toMatchObject([
      { id: 0, client_ref: ref, content: "hello", title: "私信", sender_id: ME, receiver_id: PEER, is_mine: true, delivery: "sending", error: null },
    ]);
    expect(request).toEqual({ content: "hello", receiver_id: PEER, client_ref: ref, idempotency_key: ref });
  });

  test("of an object is shown as its text", async () => {
    await send({ content: { a: 1 }, content_type: "FILE", title: "mine" });
    expect(book.view.get().items).toMatchObject([{ content: '{"a":1}', content_type: "FILE", title: "mine" }]);
  });

  test("to myself is read already", async () => {
    void outgoing.send(ME, { content: "note" });
    await settle();
    expect(book.view.get().items).toMatchObject([{ is_read: true, receiver_id: ME }]);
  });

  test("becomes the answer's message where it is loaded, and stands there once", async () => {
    await open();
    const { result, ref } = await send();
    await desk.last("send").answer(makeAnswer({ client_ref: ref }));
    expect(await result).toMatchObject({ id: 50, delivery: "sent", client_ref: ref });
    expect(shown()).toEqual([{ id: 50, content: "hello", delivery: "sent" }]);
  });

  test("is over when its frame has come after the answer, and no history is asked", async () => {
    await open();
    const { ref } = await send();
    await desk.last("send").answer(makeAnswer({ client_ref: ref }));
    expect(await desk.isSettled()).toBe(false);
    book.take(makePushed({ client_ref: ref }));
    expect(await desk.isSettled()).toBe(true);
    await desk.platform.pass(60_000);
    expect(shown()).toEqual([{ id: 50, content: "hello", delivery: "sent" }]);
    expect(desk.all("getHistory")).toHaveLength(1);
  });

  test("whose frame never comes is looked for in the history, which may not have it: it was recalled", async () => {
    await open();
    const { ref } = await send();
    await desk.last("send").answer(makeAnswer({ client_ref: ref }));
    await desk.platform.pass(10_000);
    expect(desk.all("getHistory")).toHaveLength(2);
    await desk.last("getHistory").answer([]);
    expect(shown()).toEqual([]);
    expect(await desk.isSettled()).toBe(true);
  });

  test("whose frame was here first stays as the frame and what followed it left it", async () => {
    await open();
    const { result, ref } = await send();
    book.take(makePushed({ client_ref: ref }));
    desk.context.recalled.add(50);
    book.removeMessage(50);
    await desk.last("send").answer(makeAnswer({ client_ref: ref }));
    expect(await result).toMatchObject({ id: 50 });
    expect(shown()).toEqual([]);
    expect(await desk.isSettled()).toBe(true);
  });

  test("whose answer is lost after its frame came has been sent: it does not fail", async () => {
    await open();
    const { result, ref } = await send();
    book.take(makePushed({ client_ref: ref }));
    await desk.last("send").fail(refuse(0, "NO_ANSWER"));
    expect(await result).toMatchObject({ id: 50, delivery: "sent" });
    expect(shown()).toEqual([{ id: 50, content: "hello", delivery: "sent" }]);
    await expect(outgoing.retry(ref)).rejects.toMatchObject({ code: "UNKNOWN_MESSAGE" });
  });

  test("whose answer is lost after a history had it has been sent, too", async () => {
    const { result, ref } = await send();
    book.holders = 1;
    void book.load();
    await settle();
    await desk.last("getHistory").answer([makeAnswer({ client_ref: ref })]);
    await desk.last("send").fail(refuse(0, "NO_ANSWER"));
    expect(await result).toMatchObject({ id: 50, delivery: "sent" });
    expect(shown()).toEqual([{ id: 50, content: "hello", delivery: "sent" }]);
  });

  test("that was recalled before its answer came is not shown again by the answer", async () => {
    await open();
    const { ref } = await send();
    desk.context.recalled.add(50);
    await desk.last("send").answer(makeAnswer({ client_ref: ref }));
    expect(shown()).toEqual([]);
  });

  test("waits for the one before it, also if that one fails", async () => {
    await send({ content: "first" });
    const second = outgoing.send(PEER, { content: "second" });
    second.catch(() => {});
    await settle();
    expect(desk.all("send")).toHaveLength(1);
    await desk.last("send").fail(refuse(422, "VALIDATION"));
    expect(desk.all("send")).toHaveLength(2);
    expect(desk.last("send").given).toMatchObject([{ content: "second" }]);
    expect(shown().map(({ content }) => content)).toEqual(["first", "second"]);
  });
});

describe("a send that fails", () => {
  const FAILURES = [refuse(422, "VALIDATION"), refuse(409, "KEY_REUSED"), refuse(429, "RATE_LIMITED", 5_000), refuse(0, "NO_ANSWER")];

  test.each(FAILURES)("with $status $code stays in the history with its error, and is rejected with it", async (error) => {
    await open();
    const { result } = await send();
    await desk.last("send").fail(error);
    await expect(result).rejects.toBe(error);
    expect(book.view.get().items).toMatchObject([{ id: 0, delivery: "failed", error }]);
    expect(await desk.isSettled()).toBe(true);
  });

  test.each(FAILURES)("with $status $code is tried again only when it is asked for, with the same key", async (error) => {
    const { request, ref } = await send();
    await desk.last("send").fail(error);
    await desk.platform.pass(3_600_000);
    expect(desk.all("send")).toHaveLength(1);

    const again = outgoing.retry(ref);
    await settle();
    expect(book.view.get().items).toMatchObject([{ id: 0, client_ref: ref, delivery: "sending", error: null }]);
    expect(desk.all("send")).toHaveLength(2);
    expect(desk.last("send").given[0]).toEqual(request);
    // It is on its way, and cannot be sent beside itself.
    await expect(outgoing.retry(ref)).rejects.toMatchObject({ code: "UNKNOWN_MESSAGE" });
    await desk.last("send").answer(makeAnswer({ client_ref: ref }));
    expect(await again).toMatchObject({ id: 50, delivery: "sent" });
    expect(book.view.get().items).toEqual([]);
  });

  test("again when it was tried again has failed with the newer error, and can be tried once more", async () => {
    const { request, ref } = await send();
    await desk.last("send").fail(refuse(0, "NO_ANSWER"));
    const again = outgoing.retry(ref);
    again.catch(() => {});
    await settle();
    const error = refuse(429, "RATE_LIMITED");
    await desk.last("send").fail(error);
    await expect(again).rejects.toBe(error);
    expect(book.view.get().items).toMatchObject([{ delivery: "failed", error }]);
    void outgoing.retry(ref);
    await settle();
    expect(desk.last("send").given[0]).toEqual(request);
  });

  test("and whose frame comes after all is sent: nothing is left to try again", async () => {
    await open();
    const { ref } = await send();
    await desk.last("send").fail(refuse(0, "NO_ANSWER"));
    book.take(makePushed({ client_ref: ref }));
    expect(shown()).toEqual([{ id: 50, content: "hello", delivery: "sent" }]);
    await expect(outgoing.retry(ref)).rejects.toMatchObject({ code: "UNKNOWN_MESSAGE" });
  });

  test("can be taken off the history, and then not be tried again", async () => {
    const { ref } = await send();
    await desk.last("send").fail(refuse(422, "VALIDATION"));
    outgoing.discard(ref);
    expect(book.view.get().items).toEqual([]);
    await expect(outgoing.retry(ref)).rejects.toMatchObject({ code: "UNKNOWN_MESSAGE" });
  });

  test("by a mistake of the client's own is rejected as that, and hides nothing as an answer of the server", async () => {
    const { result, ref } = await send();
    const mistake = new TypeError("no such thing");
    await desk.last("send").fail(mistake);
    await expect(result).rejects.toBe(mistake);
    expect(book.view.get().items).toMatchObject([{ client_ref: ref, delivery: "sending", error: null }]);
  });
});

test("what is being sent can be neither tried again nor taken off, and what nobody sent cannot either", async () => {
  const { ref } = await send();
  await expect(outgoing.retry(ref)).rejects.toMatchObject({ code: "UNKNOWN_MESSAGE" });
  outgoing.discard(ref);
  expect(shown()).toEqual([{ id: 0, content: "hello", delivery: "sending" }]);
  await expect(outgoing.retry("nobody's")).rejects.toMatchObject({ code: "UNKNOWN_MESSAGE" });
  outgoing.discard("nobody's");
});

test("a message of mine from another device is nothing that this client sends", async () => {
  await open();
  const { ref } = await send();
  book.take(makePushed({ id: 49, client_ref: "elsewhere" }));
  book.take(makePushed({ id: 48, client_ref: null }));
  expect(shown().map(({ id }) => id)).toEqual([48, 49, 0]);
  await desk.last("send").answer(makeAnswer({ client_ref: ref }));
  expect(shown().map(({ id }) => id)).toEqual([48, 49, 50]);
});
