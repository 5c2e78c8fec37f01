/** The store. Not written yet: only its place is here. */
import type { Store, StoreParts } from "../types";

export function createStore(_parts: StoreParts): Store {
  throw new Error("The store is not written yet.");
}
