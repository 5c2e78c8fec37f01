/**
 * The platform of browsers, their workers and Node. Nothing is looked at before it is asked for, so that the package can be
 * imported, and a client be made, where there is no `window`.
 */
import type { Platform, Tab } from "./platform";

/** What this platform has, with what is given in its place. */
export function createPlatform(given: Partial<Platform> = {}): Platform {
  // Node 20 and workers lack some of what the DOM's types promise.
  const world: Partial<typeof globalThis> = globalThis;
  const own: Platform = {
    now: () => Date.now(),
    random: () => Math.random(),
    uuid: makeName,
    after(milliseconds, callback) {
      const timer = setTimeout(callback, milliseconds);
      return () => clearTimeout(timer);
    },
    fetch: (input, init) => fetch(input, init),
    XMLHttpRequest: world.XMLHttpRequest,
    WebSocket: world.WebSocket,
    locks: world.navigator?.locks,
    BroadcastChannel: world.BroadcastChannel,
    location: world.location?.href,
    isOnline: () => world.navigator?.onLine !== false,
    onWake(callback) {
      const show = (): void => {
        if (world.document?.visibilityState === "visible") callback();
      };
      return endAll(listen(world, "online", callback), listen(world.document, "visibilitychange", show));
    },
    onSuspend: (suspend, resume) =>
      endAll(
        listen(world, "pagehide", suspend),
        listen(world, "pageshow", resume),
        // Chrome's, for tabs in the background. They reach the document only.
        listen(world.document, "freeze", suspend),
        listen(world.document, "resume", resume),
      ),
    onNetworkChange: (callback) => endAll(listen(world, "online", callback), listen(world, "offline", callback)),
    openTab: () => openTab(world.window),
    leaveFor(url) {
      world.location?.assign(url);
    },
  };
  return { ...own, ...given };
}

/** By `getRandomValues`: `randomUUID` is missing on pages that did not come over HTTPS. */
function makeName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function openTab(window: Window | undefined): Tab | null {
  // With `noopener` the answer would be null, and the tab could not be sent anywhere: it is cut off by hand.
  const tab = window?.open("", "_blank");
  if (!tab) return null;
  tab.opener = null;
  return { go: (url) => tab.location.replace(url), close: () => tab.close() };
}

function listen(target: Partial<EventTarget> | undefined, type: string, callback: () => void): () => void {
  const listener = (): void => callback();
  target?.addEventListener?.(type, listener);
  return () => target?.removeEventListener?.(type, listener);
}

function endAll(...ends: (() => void)[]): () => void {
  return () => ends.forEach((end) => end());
}
