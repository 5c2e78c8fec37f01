/** What a client does when its socket was closed, by the close code. Pure; from the API's guide, "Close codes". */
import { CLOSE_CODES } from "../api/generated/close-codes";
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
