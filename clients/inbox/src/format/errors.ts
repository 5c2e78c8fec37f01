/** What to tell a person about an error: why, in their language, with the number to quote if an operator must look. */
import { CarillonError } from "@carillon/client";
import { fill, type Words } from "../words";

/** A sentence of its own; put after the one that says what failed. */
export function explain(error: unknown, words: Words): string {
  if (!(error instanceof CarillonError)) return error instanceof Error ? error.message : String(error);
  const id = error.requestId ?? "–";
  if (error.code === "NO_ANSWER") return words.errorNoAnswer;
  if (error.code === "SIGNED_OUT" || error.status === 401) return words.errorSignedOut;
  if (error.code === "RECALL_TOO_LATE") return words.recallTooLate;
  if (error.status === 403) return words.errorNotAllowed;
  if (error.status === 404) return words.errorNotFound;
  if (error.status === 413) return words.errorTooLarge;
  if (error.status === 429) return words.errorTooMany;
  if (error.status >= 500) return fill(words.errorServer, { id });
  return error.requestId === null ? error.message : fill(words.errorOther, { detail: error.message, id });
}
