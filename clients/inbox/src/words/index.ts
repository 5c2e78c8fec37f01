/** The languages of the inbox: which one to use, and how a word with a number or a name in it is written. */
import { en } from "./en";
import { zh } from "./zh";

/** A word that depends on a number `{n}`. A language without plurals has the same text twice. */
export interface Plural {
  one: string;
  other: string;
}

export type Words = typeof en;
export type Language = "en" | "zh";

export const LANGUAGES: Record<Language, { words: Words; name: string; locale: string }> = {
  zh: { words: zh, name: "中文", locale: "zh-CN" },
  en: { words: en, name: "English", locale: "en-GB" },
};

/** The first of the wished languages (`zh-CN`, `en`, …) that there is; English if none is. */
export function chooseLanguage(wished: readonly string[]): Language {
  for (const one of wished) {
    const language = one.toLowerCase().split("-")[0];
    if (language === "zh" || language === "en") return language;
  }
  return "en";
}

/** Put `values` in the place of `{name}`; what has no value stays as it is. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}

/** The word for `n` things, with `{n}` filled in. */
export function count(word: Plural, n: number): string {
  return fill(n === 1 ? word.one : word.other, { n });
}
