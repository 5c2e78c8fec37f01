/** `@carillon/client`: what its users may import. */
export { CarillonError } from "./api/errors";
export { CLOSE_CODES } from "./api/generated/close-codes";
export { parseCard } from "./cards";
export { createClient } from "./client";
export type { CloseCode } from "./api/generated/close-codes";
export type { ErrorCode, FieldError, LocalCode } from "./api/errors";
export type { Observable } from "./observable";
export type { Platform, Socket, SocketClass, Tab } from "./platform";
export type * from "./types";
