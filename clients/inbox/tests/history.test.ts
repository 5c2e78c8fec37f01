/** Rows, heights and the range that is drawn. */
import type { Message } from "@carillon/client";
import { describe, expect, it } from "vitest";
import { makeMessage } from "../dev/fake-client";
import { chooseRange, findRow, Heights } from "../src/history/heights";
import { findUnread, makeRows } from "../src/history/rows";

const NOON = new Date(2026, 10, 28, 12).getTime();

function say(id: number, minutes: number, given: Partial<Message> = {}): Message {
  return { ...makeMessage(31002, id), content: "x", created_at_ms: NOON + minutes * 60_000, ...given };
}

describe("rows", () => {
  it("begin a day where the date changes", () => {
    const rows = makeRows({ messages: [say(1, -24 * 60), say(2, 0), say(3, 1)], uploads: [], unreadFrom: null, before: [] });
    expect(rows.map((row) => row.beginsDay)).toEqual([true, true, false]);
  });

  it("are one group as long as one person speaks without a long pause", () => {
    const rows = makeRows({ messages: [say(1, 0), say(2, 1), say(3, 1, { is_mine: true }), say(4, 20, { is_mine: true })], uploads: [], unreadFrom: null, before: [] });
    expect(rows.map((row) => [row.isFirstOfGroup, row.isLastOfGroup])).toEqual([
      [true, false],
      [false, true],
      [true, true],
      [true, true],
    ]);
  });

  it("never group a notice with another message", () => {
    const rows = makeRows({ messages: [say(1, 0, { type: "NOTIFICATION" }), say(2, 0)], uploads: [], unreadFrom: null, before: [] });
    expect(rows.map((row) => row.isFirstOfGroup)).toEqual([true, true]);
  });

  it("keep their key when the server gives an id to what was sent here", () => {
    const [before] = makeRows({ messages: [say(0, 0, { client_ref: "a" })], uploads: [], unreadFrom: null, before: [] });
    const [after] = makeRows({ messages: [say(77, 0, { client_ref: "a" })], uploads: [], unreadFrom: null, before: [] });
    expect(after?.key).toBe(before?.key);
  });

  it("are the same object as before if nothing about them changed", () => {
    const one = say(1, 0);
    const before = makeRows({ messages: [one, say(2, 1)], uploads: [], unreadFrom: null, before: [] });
    const after = makeRows({ messages: [one, say(2, 1), say(3, 2)], uploads: [], unreadFrom: null, before });
    expect(after.map((row) => before.includes(row))).toEqual([true, false, false]);
  });

  it("have the line above the first that is new", () => {
    const items = [say(1, 0, { is_read: true }), say(2, 0, { is_mine: true }), say(3, 0), say(4, 0)];
    const unread = findUnread(items)?.id ?? null;
    expect(makeRows({ messages: items, uploads: [], unreadFrom: unread, before: [] }).map((row) => row.beginsUnread)).toEqual([false, false, true, false]);
  });
});

describe("heights", () => {
  const keys = Array.from({ length: 4 }, (_, index) => ({ key: String(index) }));

  it("of rows that were not measured are the mean of the others", () => {
    const heights = new Heights();
    heights.note("0", 40);
    heights.note("1", 80);
    expect([...heights.offsetsOf(keys)]).toEqual([0, 40, 120, 180, 240]);
  });

  it("are forgotten with another width, and the mean stays as the guess", () => {
    const heights = new Heights();
    heights.note("0", 100);
    heights.clear();
    expect([...heights.offsetsOf(keys)]).toEqual([0, 100, 200, 300, 400]);
  });

  it("say which row is at a place, also before the first and after the last", () => {
    const offsets = Float64Array.from([0, 40, 120, 180]);
    expect([-5, 0, 39, 40, 179, 1000].map((at) => findRow(offsets, at))).toEqual([0, 0, 0, 1, 2, 2]);
  });

  it("say which rows are on the screen, those in part too", () => {
    expect(chooseRange(Float64Array.from([0, 40, 120, 180]), 50, 130)).toEqual([1, 3]);
    expect(chooseRange(Float64Array.from([0]), 0, 100)).toEqual([0, 0]);
  });
});
