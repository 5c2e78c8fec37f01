/** What a client does when its socket was closed, by the close code. Pure; from the API's guide, "Close codes". */
import { CLOSE_CODES, type CloseCode } from "../api/generated/close-codes";
import type { StopReason } from "../types";

const REASONS: Partial<Record<number, StopReason>> = {
  [CLOSE_CODES.FLOODING]: "flooding",
  [CLOSE_CODES.DISABLED]: "disabled",
  [CLOSE_CODES.REPLACED]: "replaced",
};

/** Why not to connect again; null: connect again. Codes that are not known yet follow the rule of their range. */
export function tellStopReason(code: number): StopReason | null {
  const isFinal = code === CLOSE_CODES.FLOODING || (code >= 4500 && code <= 4999);
  return isFinal ? (REASONS[code] ?? "refused") : null;
}

/** The code as one of the server's; null for any other, such as 1006. */
export function recogniseCode(code: number): CloseCode | null {
  return Object.values(CLOSE_CODES).find((known) => known === code) ?? null;
}
