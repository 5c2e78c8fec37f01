/** What is made of names, contents, addresses and times. */
import { describe, expect, it } from "vitest";
import { takeInitials } from "../src/format/avatar";
import { flattenCard, isEmojiOnly, readCard, splitLinks } from "../src/format/content";
import { extensionOf, formatSize, hasEnded } from "../src/format/files";
import { TimeFormat } from "../src/format/time";
import { LANGUAGES } from "../src/words";

describe("initials", () => {
  it.each([
    ["张三", "person", "张三"],
    ["欧阳修文", "person", "修文"],
    ["演示 梅", "person", "梅"],
    ["Anna Maria Schmidt", "person", "AS"],
    ["lisi", "person", "L"],
    ["审批中心", "app", "审批"],
    ["OA系统", "app", "OA"],
    ["  ", "person", "?"],
  ] as const)("of %s (%s) are %s", (name, kind, wanted) => {
    expect(takeInitials(name, kind)).toBe(wanted);
  });
});

describe("a card", () => {
  it("has the items of the object in its order, without those that are empty", () => {
    expect(readCard('{"b": "x", "a": 2, "c": null, "d": ""}')?.map((one) => one.label)).toEqual(["b", "a"]);
  });

  it("shows what is nested, to a depth that people read", () => {
    const [item] = readCard('{"a": {"b": [true, {"c": {"d": 1}}]}}') ?? [];
    expect(JSON.stringify(item)).toContain('{"kind":"flag","is":true}');
    expect(JSON.stringify(item)).toContain('"text":"{\\"c\\":{\\"d\\":1}}"');
  });

  it.each(["text", "{not json", "[1]", "{}x"])("is not made of %s", (content) => {
    expect(readCard(content)).toBeNull();
  });

  it("is one line in the list, also if its end is cut off", () => {
    expect(flattenCard('{"申请人":"张\\"三","金额":1200.5,"说明":"因为')).toBe('申请人 张"三 · 金额 1200.5 · 说明 因为');
  });

  it("that is only text stays as it is in the list", () => {
    expect(flattenCard("{ hm")).toBe("{ hm");
  });
});

describe("links", () => {
  it("end before the punctuation of the sentence, Chinese too", () => {
    expect(splitLinks("看 https://a.example/x?y=1。好 (http://b.example/z).").filter((one) => one.href)).toEqual([
      { text: "https://a.example/x?y=1", href: "https://a.example/x?y=1" },
      { text: "http://b.example/z", href: "http://b.example/z" },
    ]);
  });

  it("are only http and https", () => {
    expect(splitLinks("javascript:alert(1) ftp://x")).toEqual([{ text: "javascript:alert(1) ftp://x", href: null }]);
  });

  it("leave no character out", () => {
    const text = "a https://x.example b\n";
    expect(splitLinks(text).map((one) => one.text).join("")).toBe(text);
  });
});

describe("emoji alone", () => {
  it.each(["👍", "👍🏽👨‍👩‍👧", "😀 😀 😀"])("%s is", (text) => expect(isEmojiOnly(text)).toBe(true));
  it.each(["ok 👍", "😀😀😀😀", "1", ""])("%s is not", (text) => expect(isEmojiOnly(text)).toBe(false));
});

describe("an address", () => {
  const now = Date.UTC(2026, 10, 28, 8, 0, 0);

  it("of our own store has ended when its time is over, or is in a minute", () => {
    expect(hasEnded(`/media/x?expires=${now / 1000 + 30}`, now)).toBe(true);
    expect(hasEnded(`/media/x?expires=${now / 1000 + 90}`, now)).toBe(false);
  });

  it("of S3 has ended when its time is over", () => {
    expect(hasEnded("https://s3.example/x?X-Amz-Date=20261128T070000Z&X-Amz-Expires=3600", now)).toBe(true);
    expect(hasEnded("https://s3.example/x?X-Amz-Date=20261128T073000Z&X-Amz-Expires=3600", now)).toBe(false);
  });

  it("that says nothing of an end has none", () => {
    expect(hasEnded("https://files.example/x.png", now)).toBe(false);
  });
});

describe("a file", () => {
  it("has a size that people read", () => {
    expect([0, 999, 1000, 15_300, 1_250_000].map(formatSize)).toEqual(["0 B", "999 B", "1.0 KB", "15 KB", "1.3 MB"]);
  });

  it("has the end of its name as its kind", () => {
    expect([extensionOf("a.tar.gz"), extensionOf("计划.docx"), extensionOf("none")]).toEqual(["GZ", "DOCX", ""]);
  });
});

describe("a time", () => {
  const now = new Date(2026, 10, 28, 8, 30).getTime();
  const time = new TimeFormat("en-GB", LANGUAGES.en.words, () => now);
  const at = (year: number, month: number, day: number, hour: number, minute = 0): number => new Date(year, month, day, hour, minute).getTime();

  it("in the list is the hour, yesterday, the weekday, or the date", () => {
    const times = [at(2026, 10, 28, 0, 5), at(2026, 10, 27, 23, 59), at(2026, 10, 24, 1), at(2026, 9, 1, 1)];
    expect(times.map((one) => time.short(one))).toEqual(["00:05", "Yesterday", "Tuesday", "01/10/26"]);
  });

  it("between two days has the year if it is another one", () => {
    const times = [at(2026, 10, 28, 1), at(2026, 10, 27, 1), at(2026, 10, 1, 1), at(2025, 10, 1, 1)];
    expect(times.map((one) => time.day(one))).toEqual(["Today", "Yesterday", "Sunday 1 November", "1 November 2025"]);
  });
});
