/** The part of a history that is loaded: what comes into it, what leaves it, and in which order it stands. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { insert, markRead, prepend, remove, replace, type Window } from "../src/store/window";
import { makeShown } from "./support/store-desk";

const make = (...ids: number[]): Window => ids.map((id) => makeShown({ id }));
const ids = (window: Window): number[] => window.map(({ id }) => id);

describe("insert", () => {
  test("a message comes to its place by its id, wherever that is", () => {
    expect(ids(insert(make(3, 5, 9), makeShown({ id: 10 })))).toEqual([3, 5, 9, 10]);
    expect(ids(insert(make(3, 5, 9), makeShown({ id: 6 })))).toEqual([3, 5, 6, 9]);
    expect(ids(insert(make(3, 5, 9), makeShown({ id: 1 })))).toEqual([1, 3, 5, 9]);
    expect(ids(insert([], makeShown({ id: 1 })))).toEqual([1]);
  });

  test("it takes the place of what had its id", () => {
    const after = insert(make(3, 5, 9), makeShown({ id: 5, content: "again" }));
    expect(ids(after)).toEqual([3, 5, 9]);
    expect(after[1]?.content).toBe("again");
  });

  test("a newer form of it stays, and an equal or older one goes", () => {
    const window = [makeShown({ id: 5, version: 2 })];
    expect(insert(window, makeShown({ id: 5, version: 1 }))).toBe(window);
    for (const version of [2, 3]) expect(insert(window, makeShown({ id: 5, version, content: "new" }))).toMatchObject([{ content: "new", version }]);
  });

  test("in whichever order messages come, they stand in the order of their ids, each once", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40)), (given) => {
        const window = given.reduce<Window>((before, id) => insert(before, makeShown({ id })), []);
        expect(ids(window)).toEqual([...new Set(given)].sort((one, other) => one - other));
      }),
    );
  });
});

describe("remove", () => {
  test("the message with that id is gone, at either end and between", () => {
    expect(ids(remove(make(3, 5, 9), 5))).toEqual([3, 9]);
    expect(ids(remove(make(3, 5, 9), 3))).toEqual([5, 9]);
    expect(ids(remove(make(3, 5, 9), 9))).toEqual([3, 5]);
  });

  test("an id that is not there leaves the same window", () => {
    const window = make(3, 5, 9);
    for (const id of [1, 4, 10]) expect(remove(window, id)).toBe(window);
    expect(remove([], 4)).toEqual([]);
  });
});

describe("markRead", () => {
  test("what others sent is read up to that id; what came later, and what is mine, stays as it is", () => {
    const window = [makeShown({ id: 3 }), makeShown({ id: 4, is_mine: true }), makeShown({ id: 5 }), makeShown({ id: 6 })];
    const after = markRead(window, 5);
    expect(after.map(({ is_read }) => is_read)).toEqual([true, false, true, false]);
    expect(after[1]).toBe(window[1]);
    expect(after[3]).toBe(window[3]);
  });

  test("where nothing becomes read the window is the same one", () => {
    const window = [makeShown({ id: 3, is_read: true }), makeShown({ id: 4, is_mine: true }), makeShown({ id: 9 })];
    expect(markRead(window, 5)).toBe(window);
    expect(markRead(window, 2)).toBe(window);
  });
});

describe("replace", () => {
  test("what was fetched is what there is: the rest of the window is gone", () => {
    const fetched = make(5, 6);
    expect(replace(make(3, 5), fetched, new Set())).toBe(fetched);
    expect(replace(make(3, 5), fetched, new Set([4]))).toBe(fetched);
  });

  test("what a frame brought meanwhile stays as the frame left it, in its place", () => {
    const window = [makeShown({ id: 3 }), makeShown({ id: 5, content: "of the frame" }), makeShown({ id: 8 })];
    const after = replace(window, [makeShown({ id: 4 }), makeShown({ id: 5, content: "of the fetch" }), makeShown({ id: 9 })], new Set([5, 8]));
    expect(ids(after)).toEqual([4, 5, 8, 9]);
    expect(after[1]?.content).toBe("of the frame");
  });

  test("what a frame brought and another took back is not brought back by the fetch", () => {
    // 8 came and stays, 5 came and was recalled: it is no longer in the window, and the page still has it.
    expect(ids(replace(make(8), make(4, 5), new Set([5, 8])))).toEqual([4, 8]);
  });
});

describe("prepend", () => {
  test("a page of older ones comes before the window; what both have is there once, as the window has it", () => {
    const window = [makeShown({ id: 5, content: "of the window" }), makeShown({ id: 9 })];
    const after = prepend(window, [makeShown({ id: 3 }), makeShown({ id: 5, content: "of the page" })]);
    expect(ids(after)).toEqual([3, 5, 9]);
    expect(after[1]?.content).toBe("of the window");
  });

  test("before an empty window all of it is older", () => {
    expect(ids(prepend([], make(3, 5)))).toEqual([3, 5]);
    expect(ids(prepend(make(3), []))).toEqual([3]);
  });
});
