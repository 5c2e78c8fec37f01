/** Reads the fields of a request, and gathers what is wrong with them, as the API's 422 lists it. */
import type { FieldError } from "../api/errors";
import { Problem } from "./problems";

const WHOLE = /^-?[0-9]{1,19}$/;

export class Fields {
  readonly #values: Record<string, unknown>;
  readonly #where: string;
  readonly #wrong: FieldError[] = [];

  constructor(values: Record<string, unknown>, where = "body") {
    this.#values = values;
    this.#where = where;
  }

  /** Characters, not UTF-16 units, are counted. */
  text(name: string, { least = 0, most }: { least?: number; most: number }): string | null {
    const value = this.#values[name] ?? null;
    if (value === null) return null;
    if (typeof value !== "string") return this.#note(name, "Input should be a valid string", "string_type");
    const length = [...value].length;
    if (length < least) return this.#note(name, `String should have at least ${least} character`, "string_too_short");
    if (length > most) return this.#note(name, `String should have at most ${most} characters`, "string_too_long");
    return value;
  }

  /** A whole number of JSON; in a path or query it is text. */
  whole(name: string, { least = -Infinity, most = Infinity }: { least?: number; most?: number } = {}): number | null {
    const given = this.#values[name] ?? null;
    if (given === null) return null;
    const isText = this.#where !== "body" && typeof given === "string" && WHOLE.test(given);
    const value = isText ? Number(given) : given;
    if (typeof value !== "number" || !Number.isInteger(value)) return this.#note(name, "Input should be a whole number", "int_type");
    if (value < least) return this.#note(name, `Input should be greater than or equal to ${least}`, "greater_than_equal");
    if (value > most) return this.#note(name, `Input should be less than or equal to ${most}`, "less_than_equal");
    return value;
  }

  flag(name: string): boolean {
    const value = this.#values[name] === undefined ? false : this.#values[name];
    if (typeof value !== "boolean") this.#note(name, "Input should be a valid boolean", "bool_type");
    return value === true;
  }

  oneOf<T extends string>(name: string, words: readonly T[]): T | null {
    const value = this.#values[name];
    if (value === undefined) return null;
    const found = words.find((word) => word === value);
    return found ?? this.#note(name, `Input should be one of ${words.join(", ")}`, "enum");
  }

  /** Text, or the compact JSON text of an object. */
  content(name: string): string | null {
    const value = this.#values[name] ?? null;
    if (value === null || typeof value === "string") return value;
    if (typeof value === "object" && !Array.isArray(value)) return JSON.stringify(value);
    return this.#note(name, "Input should be a string or an object", "content_type");
  }

  /** An instant with an offset (RFC 3339), as Unix milliseconds. */
  instant(name: string): number | null {
    const value = this.#values[name] ?? null;
    if (value === null) return null;
    const isForm = typeof value === "string" && /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/.test(value);
    const ms = isForm ? Date.parse(value) : NaN;
    if (Number.isNaN(ms)) return this.#note(name, "Input should be an RFC 3339 instant with an offset", "datetime_parsing");
    return ms;
  }

  /** Throws the 422 if anything was wrong, or one of `required` is not there. */
  check(...required: string[]): void {
    for (const name of required) {
      if (this.#values[name] === undefined) this.#note(name, "Field required", "missing");
      else if (this.#values[name] === null) this.#note(name, "Input should not be null", "null");
    }
    if (this.#wrong.length > 0) throw new Problem("VALIDATION", this.#wrong);
  }

  /** The first that is wrong with a field is enough. */
  #note(name: string, msg: string, type: string): null {
    const isNoted = this.#wrong.some(({ loc }) => loc[1] === name);
    if (!isNoted) this.#wrong.push({ loc: [this.#where, name], msg, type });
    return null;
  }
}
