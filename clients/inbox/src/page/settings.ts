/** Appearance and language, remembered in this browser. */
import { chooseLanguage, type Language } from "../words";
import type { Theme } from "../inbox";

const KEY = "carillon.inbox.settings";

export interface Settings {
  theme: Theme;
  lang: Language;
}

export function loadSettings(): Settings {
  let kept: Partial<Settings> = {};
  try {
    kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Settings>;
  } catch {
    // Somebody else's, or storage is forbidden: as if nothing was kept.
  }
  return {
    theme: kept.theme === "light" || kept.theme === "dark" ? kept.theme : "auto",
    lang: chooseLanguage(kept.lang ? [kept.lang] : navigator.languages),
  };
}

export function saveSettings(settings: Settings): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Storage is forbidden or full: it holds until the page is closed.
  }
}
