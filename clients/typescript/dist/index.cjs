"use strict";
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);

// src/index.ts
var src_exports = {};
__export(src_exports, {
  CLOSE_CODES: () => CLOSE_CODES,
  CarillonError: () => CarillonError
});
module.exports = __toCommonJS(src_exports);

// src/api/errors.ts
var CarillonError = class extends Error {
  name = "CarillonError";
  /** The HTTP status; 0 if there was no answer. */
  status;
  /** Stable, for programs: one of the API's (a newer server may have others) or of the client's own. */
  code;
  /** What to quote to the operator; null if there was no answer. */
  requestId;
  /** The wrong fields of a 422; empty otherwise. */
  fields;
  /** When it makes sense to try again, in milliseconds from then; null if the server did not say. */
  retryAfter;
  constructor(message, given) {
    super(message, given.cause === void 0 ? void 0 : { cause: given.cause });
    this.status = given.status ?? 0;
    this.code = given.code;
    this.requestId = given.requestId ?? null;
    this.fields = given.fields ?? [];
    this.retryAfter = given.retryAfter ?? null;
  }
  /** Whether the same request may succeed later: no answer, 408, 429, 500, 502, 503, 504. */
  get isTemporary() {
    return this.code === "NO_ANSWER" || [408, 429, 500, 502, 503, 504].includes(this.status);
  }
};

// src/api/generated/close-codes.ts
var CLOSE_CODES = {
  NOT_UTF8: 1007,
  FLOODING: 1008,
  TOO_LONG: 1009,
  RESTARTING: 1012,
  OVER_CAPACITY: 1013,
  SILENT: 4400,
  TOKEN_EXPIRED: 4401,
  SLOW_READER: 4408,
  DISABLED: 4500,
  REPLACED: 4501
};
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  CLOSE_CODES,
  CarillonError
});
//# sourceMappingURL=index.cjs.map