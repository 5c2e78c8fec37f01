/** The calls of the API that a person's client makes. */
import type { Platform } from "../platform";
import type { ApiConversation, ApiMessage, AppAccount, Page, Person, Rest, UploadedFile } from "../types";
import type { Addresses } from "./addresses";
import { Http } from "./http";
import type { UploadGrant } from "./shapes";
import type { TokenSource } from "./token";
import { putFile } from "./upload";

/** What a list calls a person's own message that has no title, as in the client document's examples. */
export const TITLE = "私信";
const PAGE = 50;
/** What a person wrote is worth more patience than a list: some ten seconds, a server's restart. */
const SEND_RETRIES = 5;

/** `Rest` on `fetch`. An address in a message or an upload that is relative to the API is given in full. */
export function createRest(parts: { platform: Platform; addresses: Addresses; tokens: TokenSource }): Rest {
  const { platform, addresses } = parts;
  const http = new Http(parts);

  async function request<T>(...given: Parameters<Rest["request"]>): Promise<T> {
    return (await http.ask(...given)).body as T;
  }

  return {
    request,

    resolve: (address) => addresses.resolve(address),

    async listConversations({ limit = PAGE, cursor, ...options } = {}) {
      const query = { limit, cursor: cursor ?? undefined };
      const { body, headers } = await http.ask("GET", "/messages/conversations", { ...options, query });
      return { items: body as ApiConversation[], cursor: readCursor(headers) } satisfies Page<ApiConversation>;
    },

    async getHistory(peer, { limit = PAGE, before_id, ...options } = {}) {
      const query = { limit, before_id };
      const messages = await request<ApiMessage[]>("GET", `/messages/history/${peer}`, { ...options, query });
      return messages.map((one) => addresses.resolveMedia(one));
    },

    async send({ idempotency_key, title = TITLE, ...given }) {
      const headers = { "Idempotency-Key": idempotency_key ?? platform.uuid() };
      const body = { type: "MESSAGE", title, ...given };
      return addresses.resolveMedia(await request<ApiMessage>("POST", "/messages/", { body, headers, retries: SEND_RETRIES }));
    },

    recall: (messageId) => request<void>("DELETE", `/messages/${messageId}`),

    async markRead(peer, upToId) {
      const body = { up_to_id: upToId };
      const path = `/messages/conversations/${peer}/read`;
      return (await request<{ updated_count: number }>("PUT", path, { body })).updated_count;
    },

    async getUnreadCount() {
      return (await request<{ total: number }>("GET", "/messages/unread-count")).total;
    },

    async getCallbackUrl(messageId) {
      const path = `/messages/${messageId}/callback-url`;
      return (await request<{ callback_url: string }>("GET", path)).callback_url;
    },

    searchPeople(q, { limit, ...options } = {}) {
      return request<Person[]>("GET", "/users/search", { ...options, query: { q, limit } });
    },

    async listLaunchpadApps() {
      return (await request<{ items: AppAccount[] }>("GET", "/simple/me/launchpad-apps")).items;
    },

    async signOn(appId) {
      const body = { app_id: appId };
      return (await request<{ redirect_url: string }>("POST", "/simple/sso-login", { body })).redirect_url;
    },

    async upload(file, options = {}) {
      const body = { content_type: file.type, filename: file.name, size: file.size };
      const { signal } = options;
      const grant = await request<UploadGrant>("POST", "/media/uploads", { body, ...(signal && { signal }) });
      await putFile(file, grant.upload, { http, addresses, platform, ...options });
      return { key: grant.key, content_type: tellKind(file.type) };
    },

    async issueSocketTicket(options = {}) {
      return (await request<{ ticket: string }>("POST", "/ws/tickets", options)).ticket;
    },
  };
}

/** What `Link: <?limit=50&cursor=…>; rel="next"` (RFC 8288) says to ask for next. */
function readCursor(headers: Headers): string | null {
  const cursor = /[?&]cursor=([^&>]+)[^>]*>; *rel="next"/.exec(headers.get("Link") ?? "")?.[1];
  return cursor === undefined ? null : decodeURIComponent(cursor);
}

function tellKind(mediaType: string): UploadedFile["content_type"] {
  if (mediaType.startsWith("image/")) return "IMAGE";
  return mediaType.startsWith("video/") ? "VIDEO" : "FILE";
}
