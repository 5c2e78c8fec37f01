import { afterEach, expect, test, vi } from "vitest";
import { createPlatform } from "../src/platform-default";

afterEach(() => vi.unstubAllGlobals());

/** A page, as far as the platform looks at one. */
function makePage() {
  const document = Object.assign(new EventTarget(), { visibilityState: "hidden" });
  const page = new EventTarget();
  vi.stubGlobal("document", document);
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  return { document, page };
}

test("in Node there is no page: nothing is opened, the network is there, and nobody is woken", () => {
  const platform = createPlatform();
  expect(platform.openTab()).toBeNull();
  expect(platform.isOnline()).toBe(true);
  expect(platform.location).toBeUndefined();
  platform.onWake(() => {})();
  platform.onNetworkChange(() => {})();
});

test("a page wakes its client when it becomes visible and when the network is back, and not once that has ended", () => {
  const { document, page } = makePage();
  const wake = vi.fn();
  const end = createPlatform().onWake(wake);
  document.dispatchEvent(new Event("visibilitychange"));
  expect(wake).toHaveBeenCalledTimes(0);
  document.visibilityState = "visible";
  document.dispatchEvent(new Event("visibilitychange"));
  page.dispatchEvent(new Event("online"));
  expect(wake).toHaveBeenCalledTimes(2);
  end();
  page.dispatchEvent(new Event("online"));
  document.dispatchEvent(new Event("visibilitychange"));
  expect(wake).toHaveBeenCalledTimes(2);
});

test("a client is told that its page is put away or frozen, and that it is back", () => {
  const { document, page } = makePage();
  const told: string[] = [];
  const end = createPlatform().onSuspend(
    () => told.push("suspend"),
    () => told.push("resume"),
  );
  const happen = (): void => {
    for (const name of ["freeze", "resume"]) document.dispatchEvent(new Event(name));
    for (const name of ["pagehide", "pageshow"]) page.dispatchEvent(new Event(name));
  };
  happen();
  expect(told).toEqual(["suspend", "resume", "suspend", "resume"]);
  end();
  happen();
  expect(told).toHaveLength(4);
});

test("a tab is opened without noopener, which would give none, and cannot reach the page that opened it", () => {
  const tab = { opener: "page" as string | null, location: { replace: vi.fn() }, close: vi.fn() };
  const open = vi.fn(() => tab);
  vi.stubGlobal("window", { open });
  const opened = createPlatform().openTab();
  expect(open).toHaveBeenCalledWith("", "_blank");
  expect(tab.opener).toBeNull();
  opened?.go("https://biz.example");
  expect(tab.location.replace).toHaveBeenCalledWith("https://biz.example");
  vi.stubGlobal("window", { open: () => null });
  expect(createPlatform().openTab()).toBeNull();
});

test("on a page that did not come over HTTPS, where there is no randomUUID, names are 128 random bits all the same", () => {
  const { crypto } = globalThis;
  vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
  const names = Array.from({ length: 100 }, () => createPlatform().uuid());
  for (const name of names) expect(name).toMatch(/^[0-9a-f]{32}$/);
  expect(new Set(names).size).toBe(100);
});

test("what is given takes the place of the platform's own", () => {
  expect(createPlatform({ now: () => 5 }).now()).toBe(5);
  expect(createPlatform({ WebSocket: undefined }).WebSocket).toBeUndefined();
});
