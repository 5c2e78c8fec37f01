/** The lines of the conversation list, and what a frame does to them. */
import { describe, expect, test } from "vitest";
import { addMessage, find, isOutdated, put, setUnread, sumUnread } from "../src/store/lines";
import type { ApiConversation } from "../src/types";
import { makePushed, ME, PEER } from "./support/store-desk";

function makeLine(given: Partial<ApiConversation> = {}): ApiConversation {
  return {
    user_id: PEER,
    username: "u8",
    full_name: "eight",
    unread_count: 0,
    last_message: "before",
    last_message_type: "TEXT",
    updated_at: "2027-01-15T07:00:00",
    updated_at_ms: 100,
    is_system: false,
    app_id: null,
    app_name: null,
    ...given,
  };
}

const ids = (lines: readonly ApiConversation[]): number[] => lines.map(({ user_id }) => user_id);

test("find gives the line of that conversation, and nothing for one that is not loaded", () => {
  const lines = [makeLine({ user_id: 2 }), makeLine({ user_id: -3 })];
  expect(find(lines, -3)).toBe(lines[1]);
  expect(find(lines, 3)).toBeUndefined();
  expect(find([], 3)).toBeUndefined();
});

test("sumUnread adds up all lines; of none it is 0", () => {
  expect(sumUnread([makeLine({ unread_count: 2 }), makeLine(), makeLine({ unread_count: 5 })])).toBe(7);
  expect(sumUnread([])).toBe(0);
});

describe("put", () => {
  const lines = [makeLine({ user_id: 2, updated_at_ms: 300 }), makeLine({ user_id: 3, updated_at_ms: 200 }), makeLine({ user_id: 4, updated_at_ms: 100 })];

  test("a line that became the newest goes to the top, and is there once", () => {
    expect(ids(put(lines, makeLine({ user_id: 4, updated_at_ms: 400 })))).toEqual([4, 2, 3]);
  });

  test("a line that is still older than others goes behind them", () => {
    expect(ids(put(lines, makeLine({ user_id: 4, updated_at_ms: 250 })))).toEqual([2, 4, 3]);
  });

  test("of two that are as new as each other the one that changed last comes first", () => {
    expect(ids(put(lines, makeLine({ user_id: 4, updated_at_ms: 300 })))).toEqual([4, 2, 3]);
  });

  test("the oldest goes to the end, a new one too", () => {
    expect(ids(put(lines, makeLine({ user_id: 5, updated_at_ms: 1 })))).toEqual([2, 3, 4, 5]);
    expect(ids(put([], makeLine({ user_id: 5 })))).toEqual([5]);
  });

  test("nothing is changed in place", () => {
    const before = structuredClone(lines);
    put(lines, makeLine({ user_id: 4, updated_at_ms: 400 }));
    expect(lines).toEqual(before);
  });
});

describe("addMessage", () => {
  const line = makeLine({ unread_count: 2 });
  const news = makePushed({ sender_id: PEER, receiver_id: ME, created_at: "2027-01-15T08:00:01", created_at_ms: 200, content: "news" });

  test("another's message is the newest of the line, and unread", () => {
    expect(addMessage(line, news, ME)).toEqual({
      ...line,
      unread_count: 3,
      last_message: "news",
      updated_at: "2027-01-15T08:00:01",
      updated_at_ms: 200,
    });
  });

  test("what I sent from elsewhere is not unread, what an app says on my behalf is", () => {
    expect(addMessage(line, { ...news, sender_id: ME }, ME)?.unread_count).toBe(2);
    expect(addMessage(line, { ...news, sender_id: ME, conversation_id: -3 }, ME)?.unread_count).toBe(3);
  });

  test("a message that is no newer than the line leaves a doubt: the fetch may have had it", () => {
    expect(addMessage(line, { ...news, created_at_ms: 100 }, ME)).toBeNull();
    expect(addMessage(line, { ...news, created_at_ms: 99 }, ME)).toBeNull();
  });

  test("a text is cut after 200 characters, however many UTF-16 units they are", () => {
    expect(addMessage(line, { ...news, content: "😀".repeat(201) }, ME)?.last_message).toBe("😀".repeat(200));
    expect(addMessage(line, { ...news, content: "a".repeat(200) }, ME)?.last_message).toBe("a".repeat(200));
  });

  test("what is no text is shown as its kind", () => {
    const after = addMessage(line, { ...news, content_type: "IMAGE", content: "https://media.example/a.png" }, ME);
    expect(after).toMatchObject({ last_message: "[IMAGE]", last_message_type: "IMAGE" });
  });
});

describe("isOutdated", () => {
  const line = makeLine({ updated_at_ms: 200, last_message: "before" });
  const changed = makePushed({ created_at_ms: 200, content: "after", version: 2 });

  test("a line is in doubt if a message as new as it says something else than the line", () => {
    expect(isOutdated(line, changed)).toBe(true);
  });

  test("a change of an older message, or of a state alone, leaves no doubt", () => {
    expect(isOutdated(line, { ...changed, created_at_ms: 199 })).toBe(false);
    expect(isOutdated(line, { ...changed, content: "before" })).toBe(false);
  });
});

describe("setUnread", () => {
  test("the line of that conversation has that count, and others stay the same objects", () => {
    const lines = [makeLine({ user_id: 2, unread_count: 3 }), makeLine({ user_id: 3, unread_count: 4 })];
    const after = setUnread(lines, 3, 1);
    expect(after.map(({ unread_count }) => unread_count)).toEqual([3, 1]);
    expect(after[0]).toBe(lines[0]);
  });

  test("a count that is right already changes nothing", () => {
    const lines = [makeLine({ user_id: 3, unread_count: 4 })];
    expect(setUnread(lines, 3, 4)[0]).toBe(lines[0]);
  });
});
