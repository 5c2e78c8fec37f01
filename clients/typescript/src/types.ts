/**
 * The shapes that the client's parts share and its users see. No code.
 *
 * Shapes of the API itself are generated into `api/generated/` from `/openapi.json` and `/asyncapi.json`; this page is
 * about the client: what it is given, what it does, and what it shows.
 */
import type { CarillonError } from "./api/errors";
import type { Frame, PushedMessage } from "./api/generated/frames";
import type {
  AppAccount,
  Conversation as ApiConversation,
  Message as ApiMessage,
  Person,
} from "./api/shapes";
import type { Observable } from "./observable";
import type { Platform } from "./platform";

export type { ApiConversation, ApiMessage, AppAccount, Frame, Person, PushedMessage };

// ── making a client ──

/** Why a token is wanted: the first one, or another because the server said that the last one is no longer good. */
export type TokenReason = "start" | "expired" | "refused";

export interface ClientOptions {
  /** Where the API is, without `/api/v1`: `https://messages.example.com`, or `""` for the page's own origin. */
  baseUrl: string;
  /**
   * Give a token that is good now, or null if the person is signed out: the client stops then. Asked once at a time,
   * however many requests wait, and again only after the server refused the last one. A client is one person's: another's
   * token counts as signed out, and for them another client is made.
   */
  getToken(reason: TokenReason): Promise<string | null> | string | null;
  /** One socket for all tabs of this browser (default true where Web Locks are). False: a socket for this client alone. */
  shareSocket?: boolean;
  /** The world around; the browser's or Node's own if not given. */
  platform?: Partial<Platform>;
}

/** Who the person is: the `sub` of their token. */
export interface Me {
  /** Their platform id; null until the first token is there. */
  get(): number | null;
  /** The same, once the first token is there. Rejects with a CarillonError if none comes, or it has no such `sub`. */
  load(): Promise<number>;
}

export interface CarillonClient {
  readonly me: Me;
  readonly rest: Rest;
  readonly connection: Connection;
  readonly store: Store;
  /** Connect, and keep the store up to date until `stop`. Safe to repeat. */
  start(): void;
  /** Close the socket and let everything go. The store keeps what it has; `start` begins again. */
  stop(): void;
  /**
   * Press a message's button: call it in the click itself. A blank tab is opened at once and sent to the address when
   * the server has given it, since browsers block a tab that is opened later; without one, the same tab goes there.
   * Rejects with the CarillonError of the request; the blank tab is closed then.
   */
  openAction(message: Pick<Message, "id" | "action_url">): Promise<void>;
}

// ── REST ──

export interface RequestOptions {
  query?: Record<string, string | number | boolean | undefined>;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /**
   * How often a request that failed for now (no answer, 408, 429, 500, 502, 503, 504) is repeated, with pauses. Default: 2
   * for GET, PUT, DELETE and whatever has an `Idempotency-Key`, else 0.
   */
  retries?: number;
  /** How long an answer may take, in milliseconds (default 30,000). */
  timeout?: number;
}

export interface Page<T> {
  items: T[];
  /** What to ask for next; null at the end. */
  cursor: string | null;
}

/** What a person writes. */
export interface Draft {
  title?: string;
  content: string | Record<string, unknown>;
  content_type?: "TEXT" | "IMAGE" | "VIDEO" | "FILE";
}

export interface SendRequest extends Draft {
  receiver_id: number;
  client_ref?: string;
  idempotency_key?: string;
  send_at?: string;
}

export interface UploadedFile {
  /** What to send as `content`. */
  key: string;
  content_type: "IMAGE" | "VIDEO" | "FILE";
}

/** The REST API as the person. Every call rejects with a CarillonError. A token that has expired is replaced once. */
export interface Rest {
  /** Any request below `/api/v1`; gives its JSON, or null for an answer without a body. */
  request<T>(method: string, path: string, options?: RequestOptions): Promise<T>;
  /**
   * An address that the API gave, such as a button's, as an absolute one: it may be relative to the API. `content` of
   * pictures and files is absolute already, in answers and frames. Throws BAD_ADDRESS if it is not one of http(s).
   */
  resolve(address: string): string;
  listConversations(options?: { limit?: number; cursor?: string | null; signal?: AbortSignal }): Promise<Page<ApiConversation>>;
  /** Newest first. */
  getHistory(peer: number, options?: { limit?: number; before_id?: number; signal?: AbortSignal }): Promise<ApiMessage[]>;
  send(request: SendRequest): Promise<ApiMessage>;
  recall(messageId: number): Promise<void>;
  /** Everything up to that message is read; gives how many became read. */
  markRead(peer: number, upToId: number): Promise<number>;
  getUnreadCount(): Promise<number>;
  getCallbackUrl(messageId: number): Promise<string>;
  searchPeople(q: string, options?: { limit?: number; signal?: AbortSignal }): Promise<Person[]>;
  listLaunchpadApps(): Promise<AppAccount[]>;
  /** Where to go to be signed on to an app. */
  signOn(appId: string): Promise<string>;
  upload(file: File, options?: { onProgress?: (fraction: number) => void; signal?: AbortSignal }): Promise<UploadedFile>;
  /** A ticket for one socket, for 30 s. */
  issueSocketTicket(options?: { signal?: AbortSignal }): Promise<string>;
}

// ── the connection ──

export type StopReason = "signed_out" | "disabled" | "replaced" | "flooding" | "refused" | "closed";

export type ConnectionState =
  | { status: "idle" }
  | { status: "connecting"; attempt: number }
  | { status: "open" }
  /** The next attempt is at `retryAt`, Unix milliseconds; `error` is what the last one ran into. */
  | { status: "waiting"; attempt: number; retryAt: number; error: CarillonError | null }
  /** The platform says that there is no network: tried again as soon as there is. */
  | { status: "offline" }
  /**
   * Nothing is tried any more until `start`. `code` is why the server closed the socket (CLOSE_CODES), `error` what request
   * was refused.
   */
  | { status: "stopped"; reason: StopReason; code: number | null; error: CarillonError | null };

/**
 * Frames, in order, each once, over however many sockets: this client's own, or that of another tab.
 *
 * Between two frames nothing is missing, except before a `RESYNC`: then everything that was read before is to be read again.
 */
export interface Connection {
  readonly state: Observable<ConnectionState>;
  /** How far the server's clock is ahead of the platform's, in milliseconds; 0 until it is known. */
  readonly clockOffset: Observable<number>;
  /** Connect and stay connected. Nothing happens if that is so. Throws NOT_CONFIGURED if there is no WebSocket. */
  start(): void;
  /** Let the socket go. `reason` is what `state` says then: `closed` if it is not given. */
  stop(reason?: StopReason): void;
  /** Try now, without waiting for the pause to end. */
  wake(): void;
  /** Call `listener` for every frame but HELLO, POSITION and pong; returns what ends it. */
  onFrame(listener: (frame: Frame) => void): () => void;
  /**
   * Call `listener` when a first socket is open or after a RESYNC: what was read before this moment may be old. It is
   * called before any frame of that socket.
   */
  onFresh(listener: () => void): () => void;
}

/** A connection with a socket of its own. */
export interface SocketConnection extends Connection {
  /**
   * The `pos` of the last frame, set after its listeners were called: where another socket of the same person goes on.
   * Null before the first.
   */
  readonly position: Observable<string | null>;
}

/** What `createSharedConnection` is made of. */
export interface SharedConnectionParts {
  baseUrl: string;
  platform: Platform;
  me: Me;
  /**
   * Make a connection of this tab's own, for as long as this tab is the leader. With `since`, the position of the leader
   * before, it goes on from there: its first socket is no `onFresh` then, unless the server cannot replay that far.
   */
  connect(since: string | null): SocketConnection;
}

// ── the store ──

/** What `createStore` is made of. */
export interface StoreParts {
  rest: Rest;
  connection: Connection;
  platform: Platform;
  me: Me;
}

export type Delivery = "sending" | "sent" | "failed";

/** A message in the store: the API's, and what is known here only. */
export interface Message {
  /** 0 until the server has given one. */
  id: number;
  /** The client's own name for its send; null for what others sent. Unique in a history where it is set. */
  client_ref: string | null;
  conversation_id: number;
  sender_id: number | null;
  receiver_id: number | null;
  app_id: number | null;
  app_name: string | null;
  type: "MESSAGE" | "NOTIFICATION";
  content_type: ApiMessage["content_type"];
  title: string;
  content: string;
  filename: string | null;
  action_url: string | null;
  action_text: string | null;
  /** How far the matter of a card is; null for what is no to-do. */
  state: ApiMessage["state"];
  /** The state in the app's own words, such as who decided. */
  state_text: string | null;
  /** The app's own name for the matter. */
  ref: string | null;
  /** 1 at first, one more with each change. The store keeps the newest form that it has seen. */
  version: number;
  created_at_ms: number;
  /** Of my own message: whether the other side has read it. Of another's: whether I have. */
  is_read: boolean;
  read_at_ms: number | null;
  is_mine: boolean;
  delivery: Delivery;
  /** Why `delivery` is `failed`. */
  error: CarillonError | null;
}

export interface ConversationList {
  /** Newest first. */
  items: readonly ApiConversation[];
  /** Whether older ones can be loaded. */
  hasMore: boolean;
  isLoading: boolean;
  error: CarillonError | null;
}

export interface History {
  /** Oldest first; what is being sent is at the end. */
  items: readonly Message[];
  /** Whether older ones can be loaded. */
  hasOlder: boolean;
  isLoading: boolean;
  error: CarillonError | null;
}

/**
 * What the person has, kept up to date.
 *
 * Law (property-tested against the server): when nothing is in flight, everything that is loaded equals what a fetch would
 * give now, after any sequence of sends, reads, recalls, drops, reconnects and reorderings.
 */
export interface Store {
  readonly conversations: Observable<ConversationList>;
  /** How many are unread, of all conversations: the one number for a badge. */
  readonly unreadCount: Observable<number>;
  /** The history of a conversation; the same observable for the same peer. It is empty until `open`. */
  history(peer: number): Observable<History>;
  /** Load the newest page and keep it up to date until the returned function is called. Counted: two may hold it open. */
  open(peer: number): () => void;
  loadOlder(peer: number): Promise<void>;
  /**
   * Read what is loaded of a history again. For what no frame tells: whether the other side has read what I sent. Nothing
   * happens if it is not loaded.
   */
  refresh(peer: number): Promise<void>;
  loadMoreConversations(): Promise<void>;
  /**
   * Show the message at once and send it. Resolves when the server has it; rejects when it is given up (it stays in the
   * history as `failed`). Safe to repeat: the same `Idempotency-Key` goes with every attempt.
   */
  send(peer: number, draft: Draft): Promise<Message>;
  /** Try a failed one again, with the same key. */
  retry(clientRef: string): Promise<Message>;
  /** Take a failed one off the history. */
  discard(clientRef: string): void;
  /** Take a message of mine back, everywhere. */
  recall(peer: number, messageId: number): Promise<void>;
  /** What is rendered is read: up to that id. Gathered: one request at a time for a conversation, only the highest id. */
  markRead(peer: number, upToId: number): void;
  /** Resolves when nothing is in flight. For tests and for a page that is about to leave. */
  settled(): Promise<void>;
}
