/** The store: what the person has, kept up to date. */
import type { Store, StoreParts } from "../types";
import { LiveStore } from "./store";

export function createStore(parts: StoreParts): Store {
  return new LiveStore(parts);
}
