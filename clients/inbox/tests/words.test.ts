/** The words of both languages. */
import { describe, expect, it } from "vitest";
import { chooseLanguage, count, fill, LANGUAGES, type Plural } from "../src/words";

type Word = string | Plural;

const en = Object.entries<Word>(LANGUAGES.en.words);
const zh = LANGUAGES.zh.words as Record<string, Word>;

function textsOf(word: Word | undefined): string[] {
  if (word === undefined) return [];
  return typeof word === "string" ? [word] : [word.one, word.other];
}

function placesOf(word: Word | undefined): string[] {
  return [...new Set(textsOf(word).flatMap((text) => text.match(/\{\w+\}/g) ?? []))].sort();
}

describe("the word files", () => {
  it("have the same keys in the same order", () => {
    expect(Object.keys(zh)).toEqual(en.map(([key]) => key));
  });

  it("have the same places for names and numbers in every word", () => {
    for (const [key, word] of en) expect(placesOf(zh[key]), key).toEqual(placesOf(word));
  });

  it("leave no word empty", () => {
    for (const [key, word] of en) for (const text of [...textsOf(word), ...textsOf(zh[key])]) expect(text.trim(), key).not.toBe("");
  });

  it("have no Chinese word without Chinese characters, but for the product's name", () => {
    for (const [key] of en) {
      const letters = textsOf(zh[key]).join("").replace(/\{\w+\}/g, "");
      if (key !== "pageTitle" && /\p{L}/u.test(letters)) expect(letters, key).toMatch(/\p{Script=Han}/u);
    }
  });
});

describe("a word", () => {
  it("is filled in, and keeps a place that has no value", () => {
    expect(fill("{a} and {b}", { a: 1 })).toBe("1 and {b}");
  });

  it("is singular for one only", () => {
    expect([0, 1, 2].map((n) => count({ one: "{n} day", other: "{n} days" }, n))).toEqual(["0 days", "1 day", "2 days"]);
  });

  it("is of the first language that there is", () => {
    expect(chooseLanguage(["fr-FR", "zh-Hant-TW", "en"])).toBe("zh");
    expect(chooseLanguage(["fr"])).toBe("en");
  });
});
