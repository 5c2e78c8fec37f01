/** One conversation's history: what frames, pages and recalls do to it in whichever order they come. */
import { beforeEach, describe, expect, test } from "vitest";
import { HistoryBook } from "../src/store/history-book";
import type { ApiMessage } from "../src/types";
import { makeAnswer, makePushed, ME, PEER, refuse, StoreDesk } from "./support/store-desk";
import { settle } from "./support/virtual-platform";

let desk: StoreDesk;
let book: HistoryBook;

beforeEach(() => {
  desk = new StoreDesk();
  book = new HistoryBook(desk.context, PEER, () => {});
});

const heard = (id: number, given: Partial<ApiMessage> = {}): ApiMessage => makeAnswer({ id, sender_id: PEER, receiver_id: ME, ...given });
const push = (id: number): void => book.take(makePushed({ id, sender_id: PEER, receiver_id: ME }));
const shown = (): [number, boolean][] => book.view.get().items.map(({ id, is_read }) => [id, is_read]);

/** Load it: `page` is the newest, newest first. */
async function open(page: ApiMessage[]): Promise<void> {
  book.holders = 1;
  void book.load();
  await settle();
  await desk.last("getHistory").answer(page);
}

describe("a message that comes behind a newer one", () => {
  test("is read again with its window: a read up to the newer one may have been of it, or not", async () => {
    await open([heard(60)]);
    push(55);
    await settle();
    expect(desk.all("getHistory")).toHaveLength(2);
    await desk.last("getHistory").answer([heard(60), heard(55)]);
    expect(shown()).toEqual([
      [55, false],
      [60, false],
    ]);
  });

  test("makes every later read ask again, since the read may be older than the message", async () => {
    await open([heard(60)]);
    push(55);
    await settle();
    await desk.last("getHistory").answer([heard(60), heard(55)]);
    book.readUpTo(60);
    await settle();
    expect(desk.all("getHistory")).toHaveLength(3);
    // The server had read 60 before 55 was there: 55 is unread, and a fetch says so.
    await desk.last("getHistory").answer([heard(60, { is_read: true }), heard(55)]);
    expect(shown()).toEqual([
      [55, false],
      [60, true],
    ]);
  });

  test("is no reason to ask if messages came in their order: the read alone says it", async () => {
    await open([heard(60)]);
    push(65);
    book.readUpTo(60);
    await settle();
    expect(desk.all("getHistory")).toHaveLength(1);
    expect(shown()).toEqual([
      [60, true],
      [65, false],
    ]);
  });
});

describe("while a page is on its way", () => {
  test("a message that a frame brings stays, and one that is recalled does not come back", async () => {
    book.holders = 1;
    void book.load();
    await settle();
    push(60);
    desk.context.recalled.add(55);
    book.removeMessage(55);
    await desk.last("getHistory").answer([heard(55), heard(54)]);
    expect(shown().map(([id]) => id)).toEqual([54, 60]);
  });

  test("what is read meanwhile is read in the page, too", async () => {
    book.holders = 1;
    void book.load();
    await settle();
    book.readUpTo(55);
    await desk.last("getHistory").answer([heard(56), heard(55)]);
    expect(shown()).toEqual([
      [55, true],
      [56, false],
    ]);
  });
});

describe("a message that was changed", () => {
  /** The store is told of a change, as by MESSAGE_UPDATED. */
  function change(id: number, version: number): void {
    const form = makePushed({ id, sender_id: PEER, receiver_id: ME, version, content: `v${version}`, state: "DONE" });
    desk.context.forms.set(id, form);
    book.renew();
  }
  const forms = (): [number, string, boolean][] => book.view.get().items.map(({ version, content, is_read }) => [version, content, is_read]);

  test("has its new form at once, and what was read stays read", async () => {
    await open([heard(60, { is_read: true })]);
    change(60, 2);
    expect(forms()).toEqual([[2, "v2", true]]);
  });

  test("keeps the newer form when an older frame of it comes behind", async () => {
    await open([heard(60)]);
    change(60, 2);
    push(60);
    expect(forms()).toEqual([[2, "v2", false]]);
  });

  test("keeps the newer form when a page that is older comes behind", async () => {
    book.holders = 1;
    void book.load();
    await settle();
    change(60, 2);
    await desk.last("getHistory").answer([heard(60)]);
    expect(forms()).toEqual([[2, "v2", false]]);
  });

  test("has the page's form if that is the newer one", async () => {
    await open([heard(60)]);
    change(60, 2);
    void book.reload();
    await settle();
    await desk.last("getHistory").answer([heard(60, { version: 3, content: "v3" })]);
    change(60, 2);
    expect(forms()).toEqual([[3, "v3", false]]);
  });

  test("comes in its new form if the change was there first", async () => {
    await open([]);
    change(60, 2);
    push(60);
    expect(forms()).toEqual([[2, "v2", false]]);
  });
});

describe("a page that fails", () => {
  test("for now is on show, and tried again after a pause; then the error is gone", async () => {
    book.holders = 1;
    void book.load();
    await settle();
    const error = refuse(429, "RATE_LIMITED", 7_000);
    await desk.last("getHistory").fail(error);
    expect(book.view.get()).toMatchObject({ isLoading: false, error });
    await desk.platform.pass(6_999);
    expect(desk.all("getHistory")).toHaveLength(1);
    await desk.platform.pass(1);
    expect(desk.all("getHistory")).toHaveLength(2);
    await desk.last("getHistory").answer([heard(50)]);
    expect(book.view.get()).toMatchObject({ items: [{ id: 50 }], isLoading: false, error: null });
  });

  test("for good is on show, and not tried again by itself", async () => {
    book.holders = 1;
    void book.load();
    await settle();
    const error = refuse(403, "NOT_ALLOWED");
    await desk.last("getHistory").fail(error);
    await desk.platform.pass(3_600_000);
    expect(book.view.get()).toMatchObject({ isLoading: false, error });
    expect(desk.all("getHistory")).toHaveLength(1);
  });
});
