// What the console says, in the operator's language: the browser's, or the one that was chosen here.

import en from "./words/en.js";
import zh from "./words/zh.js";

const TABLES = { en, zh };
const KEPT_AS = "carillon.language";

let language = chooseLanguage();

function chooseLanguage() {
  const kept = readKept();
  if (kept in TABLES) return kept;
  const asked = navigator.languages.map((one) => one.slice(0, 2).toLowerCase());
  return asked.find((one) => one in TABLES) ?? "en";
}

// A browser may forbid to keep anything.
function readKept() {
  try {
    return localStorage.getItem(KEPT_AS);
  } catch {
    return null;
  }
}

export const currentLanguage = () => language;

export function setLanguage(chosen) {
  language = chosen;
  try {
    localStorage.setItem(KEPT_AS, chosen);
  } catch {
    // It holds until the page is closed.
  }
}

// The text of `key`, with the values put in for the names in braces.
export function say(key, values = {}) {
  const text = TABLES[language][key] ?? TABLES.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// The text of a word that the server says (a status, a kind); the word itself if there is none.
export function sayWord(group, word) {
  const key = `${group}.${word}`;
  return TABLES[language][key] ?? word;
}

const locale = () => (language === "zh" ? "zh-CN" : "en-GB");
const formats = {};

function format(name, make) {
  return (formats[`${name} ${language}`] ??= make());
}

// A count of things. Ids are no counts: they are shown as they are.
export function sayCount(value) {
  if (value == null) return "–";
  return format("count", () => new Intl.NumberFormat(locale())).format(Math.round(value));
}

export function sayInstant(iso) {
  const style = { dateStyle: "medium", timeStyle: "medium" };
  return format("instant", () => new Intl.DateTimeFormat(locale(), style)).format(new Date(iso));
}

export function sayTime(milliseconds) {
  return format("time", () => new Intl.DateTimeFormat(locale(), { timeStyle: "medium" })).format(milliseconds);
}
