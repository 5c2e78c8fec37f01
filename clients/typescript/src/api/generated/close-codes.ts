/** Generated from the API's own documents by `npm run generate`. Do not edit by hand. */

/** Why the server closed a socket. 4000 to 4499: connect again; 4500 to 4999: do not. */
export const CLOSE_CODES = {
  NOT_UTF8: 1007,
  FLOODING: 1008,
  TOO_LONG: 1009,
  RESTARTING: 1012,
  OVER_CAPACITY: 1013,
  SILENT: 4400,
  TOKEN_EXPIRED: 4401,
  SLOW_READER: 4408,
  DISABLED: 4500,
  REPLACED: 4501,
} as const;

export type CloseCode = (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES];
