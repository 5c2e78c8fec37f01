/** Where the API is: turns paths and relative addresses into absolute ones. */
import { CarillonError } from "./errors";

const API = "/api/v1";

/** What may be opened or fetched at all: never `javascript:` or `data:`. */
const WEB = /^https?:$/;
const MEDIA = /^(IMAGE|VIDEO|FILE)$/;

export class Addresses {
  readonly #base: string;
  readonly #page: string | undefined;

  /** `page` is the page's own address, for a `baseUrl` without an origin. A `baseUrl` that ends in `/api/v1` is fine too. */
  constructor(baseUrl: string, page: string | undefined) {
    this.#base = baseUrl.replace(/\/+$/, "").replace(/\/api\/v1$/, "");
    this.#page = page;
  }

  /** The absolute address of a path below `/api/v1`, such as `/messages/`. */
  api(path: string, query: Record<string, string | number | boolean | undefined> = {}): URL {
    const url = parse(this.#base + API + path, this.#page);
    if (!url) throw new CarillonError("`baseUrl` must be an absolute address here.", { code: "NOT_CONFIGURED" });
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }

  /** An address that the API gave, which may be relative to it. Throws BAD_ADDRESS if it is not one of http(s). */
  resolve(address: string): string {
    const url = parse(address, this.api("/").href);
    if (url && WEB.test(url.protocol)) return url.href;
    throw new CarillonError(`Not an address that is opened: ${address}`, { code: "BAD_ADDRESS" });
  }

  /** The address of the socket. */
  socket(query: Record<string, string | undefined>): string {
    const url = this.api("/ws/messages", query);
    url.protocol = url.protocol.replace("http", "ws");
    return url.href;
  }

  /** A message whose `content` is an address, with that address in full. */
  resolveMedia<T extends { content_type: string; content: string }>(message: T): T {
    const isRelative = MEDIA.test(message.content_type) && /^\/(?!\/)/.test(message.content);
    return isRelative ? { ...message, content: this.resolve(message.content) } : message;
  }
}

function parse(address: string, base: string | undefined): URL | null {
  try {
    return new URL(address, base);
  } catch {
    return null;
  }
}
