/** What a route of the fake server is, and what it is given. */
import { Fields } from "../fields";
import type { Identity, Tokens } from "../tokens";
import type { Uploads } from "../uploads";
import type { World } from "../world";

/** Larger than any id. */
export const MOST = Number.MAX_SAFE_INTEGER;

/** A request of somebody who is signed in. */
export interface Call {
  me: number;
  identity: Identity;
  /** What the pattern of the path found. */
  path: string[];
  query: Record<string, string>;
  body: Record<string, unknown>;
  headers: Headers;
}

export interface Answer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Route {
  method: string;
  path: RegExp;
  /** Whether there is a body to read, or there may be one. */
  reads?: "body" | "optional";
  answer(call: Call): Answer;
}

export interface RouteParts {
  world: World;
  tokens: Tokens;
  uploads: Uploads;
  now(): number;
}

/** A whole number in the path. */
export function readId(text: string | undefined, name: string): number {
  const fields = new Fields({ [name]: text }, "path");
  const id = fields.whole(name);
  fields.check(name);
  return id ?? 0;
}
