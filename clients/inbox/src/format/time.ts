/** Times as people say them, in the person's own zone and language. */
import type { Words } from "../words";

const DAY = 86_400_000;

/** How one language writes times. */
export class TimeFormat {
  readonly #time: Intl.DateTimeFormat;
  readonly #weekday: Intl.DateTimeFormat;
  readonly #day: Intl.DateTimeFormat;
  readonly #year: Intl.DateTimeFormat;
  readonly #short: Intl.DateTimeFormat;
  readonly #full: Intl.DateTimeFormat;

  constructor(
    locale: string,
    readonly words: Words,
    readonly now: () => number = Date.now,
  ) {
    const make = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, options);
    this.#time = make({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    this.#weekday = make({ weekday: "long" });
    this.#day = make({ weekday: "long", day: "numeric", month: "long" });
    this.#year = make({ day: "numeric", month: "long", year: "numeric" });
    this.#short = make({ day: "2-digit", month: "2-digit", year: "2-digit" });
    this.#full = make({ dateStyle: "long", timeStyle: "short" });
  }

  /** `10:31`. */
  time(at: number): string {
    return this.#time.format(at);
  }

  /** For a tooltip: date and time. */
  full(at: number): string {
    return this.#full.format(at);
  }

  /** For the list: today's time, yesterday, the weekday, else the date. */
  short(at: number): string {
    const ago = startOfDay(this.now()) - startOfDay(at);
    if (ago < DAY / 2) return this.time(at);
    if (ago < 1.5 * DAY) return this.words.yesterday;
    if (ago < 6.5 * DAY) return this.#weekday.format(at);
    return this.#short.format(at);
  }

  /** For the line between two days: today, yesterday, else the date, with the year if it is another one. */
  day(at: number): string {
    const ago = startOfDay(this.now()) - startOfDay(at);
    if (Math.abs(ago) < DAY / 2) return this.words.today;
    if (ago > 0 && ago < 1.5 * DAY) return this.words.yesterday;
    const isThisYear = new Date(at).getFullYear() === new Date(this.now()).getFullYear();
    return (isThisYear ? this.#day : this.#year).format(at);
  }
}

/** The first moment of that day here. Days are compared with half a day's room, for one of them may have 23 hours. */
export function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}
