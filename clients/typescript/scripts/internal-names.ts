/**
 * Names of members that only the client's own parts use with one another: the build shortens them, in the source they are
 * legible. A name here is no part of the public types, of the API's shapes, of what tabs tell each other, or of anything of the
 * platform; `tests/internal-names.test.ts` holds that.
 */
export const INTERNAL_NAMES = [
  // requests, tokens, addresses
  "exchange",
  "refuse",
  "resolveMedia",
  // sockets
  "hear",
  "onData",
  "onEnd",
  "onSilent",
  "onTicket",
  // tabs
  "fresh",
  "frames",
  "hasEvent",
  "hasGap",
  "isNew",
  "isRepeat",
  "onDeposed",
  "onElected",
  "onForbidden",
  "onNote",
  "steal",
  "stepDown",
  // the store
  "activity",
  "doubt",
  "dropPending",
  "forms",
  "hidden",
  "holders",
  "isFailed",
  "isLoaded",
  "loadMore",
  "mark",
  "noteShown",
  "person",
  "plan",
  "putPending",
  "readUpTo",
  "reload",
  "removeMessage",
  "renew",
  "seen",
  "shown",
  "tellAll",
  "track",
  "unload",
  "view",
];
