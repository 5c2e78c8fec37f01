import { expectTypeOf, test } from "vitest";
import WebSocket from "ws";
import type { Frame, Platform, PushedMessage } from "../src/index";

test("the WebSockets of browsers and of the package `ws` may be given", () => {
  expectTypeOf<typeof globalThis.WebSocket>().toExtend<Platform["WebSocket"]>();
  expectTypeOf<typeof WebSocket>().toExtend<Platform["WebSocket"]>();
});

test("a frame is told by its type", () => {
  expectTypeOf<Extract<Frame, { type: "NEW_MESSAGE" }>["data"]>().toEqualTypeOf<PushedMessage>();
  expectTypeOf<Extract<Frame, { type: "RESYNC" }>>().not.toHaveProperty("data");
});
