/** Generated from the API's own documents by `npm run generate`. Do not edit by hand. */
/** What an error's `code` may be; a newer server may have others. */
type ErrorCode = "ErrorCode.ALREADY_UPLOADED" | "ErrorCode.APP_EXISTS" | "ErrorCode.BAD_REQUEST" | "ErrorCode.BODY_NOT_JSON" | "ErrorCode.BODY_TOO_LARGE" | "ErrorCode.BUS_AWAY" | "ErrorCode.CLOCK_SKEW" | "ErrorCode.CONSOLE_HEADER_MISSING" | "ErrorCode.CONTENT_TOO_LARGE" | "ErrorCode.DATABASE_AWAY" | "ErrorCode.FOR_APPS_ONLY" | "ErrorCode.FOR_PEOPLE_ONLY" | "ErrorCode.HEADERS_TOO_LARGE" | "ErrorCode.HEADER_MALFORMED" | "ErrorCode.HEADER_MISSING" | "ErrorCode.HOST_NOT_ALLOWED" | "ErrorCode.IGNORED_FIELD" | "ErrorCode.INTERNAL" | "ErrorCode.IN_CONFLICT" | "ErrorCode.KEY_REUSED" | "ErrorCode.LAST_ADMIN" | "ErrorCode.LINK_EXPIRED" | "ErrorCode.LINK_NOT_VALID" | "ErrorCode.MEDIA_STORE_AWAY" | "ErrorCode.METHOD_NOT_ALLOWED" | "ErrorCode.NOT_ALLOWED" | "ErrorCode.NOT_CONFIRMED" | "ErrorCode.NOT_FOUND" | "ErrorCode.NOT_READY" | "ErrorCode.NOT_SIGNED_IN" | "ErrorCode.NOT_THE_SENDER" | "ErrorCode.NOT_UPLOADED" | "ErrorCode.NOT_YOUR_UPLOAD" | "ErrorCode.NO_ACCOUNT" | "ErrorCode.NO_BUTTON" | "ErrorCode.NO_MAPPING" | "ErrorCode.OPERATOR_EXISTS" | "ErrorCode.ORIGIN_NOT_ALLOWED" | "ErrorCode.OTHER_APP" | "ErrorCode.PERSON_ERASED" | "ErrorCode.QUEUE_FULL" | "ErrorCode.QUOTA_USED_UP" | "ErrorCode.RANGE_NOT_SATISFIABLE" | "ErrorCode.RATE_LIMITED" | "ErrorCode.RECALL_TOO_LATE" | "ErrorCode.REQUEST_TIMEOUT" | "ErrorCode.ROLE_TOO_LOW" | "ErrorCode.SEND_AT_PAST" | "ErrorCode.TICKET_NOT_VALID" | "ErrorCode.TOKEN_EXPIRED" | "ErrorCode.TOKEN_IS_A_SETTING" | "ErrorCode.TOO_MANY_AT_ONCE" | "ErrorCode.TOO_MANY_CONNECTIONS" | "ErrorCode.TOO_MANY_SIGN_INS" | "ErrorCode.TOO_MANY_SOCKETS" | "ErrorCode.UNAVAILABLE" | "ErrorCode.UNKNOWN_APP" | "ErrorCode.UNKNOWN_BROADCAST" | "ErrorCode.UNKNOWN_FAILED_SEND" | "ErrorCode.UNKNOWN_MESSAGE" | "ErrorCode.UNKNOWN_OBJECT" | "ErrorCode.UNKNOWN_OPERATOR" | "ErrorCode.UNKNOWN_PATH" | "ErrorCode.UNKNOWN_PERSON" | "ErrorCode.UNKNOWN_QUEUE" | "ErrorCode.UNKNOWN_RECEIVER" | "ErrorCode.UNKNOWN_SENDER" | "ErrorCode.UNKNOWN_TICKET" | "ErrorCode.UPGRADE_REQUIRED" | "ErrorCode.UPLOAD_INCOMPLETE" | "ErrorCode.UPLOAD_TOO_LARGE" | "ErrorCode.VALIDATION";

/** The one error of the client: what the API refused, or that it was not reached. */

/** One wrong field of a request (422). */
interface FieldError {
    loc: (string | number)[];
    msg: string;
    type: string;
}
/** Why there is no HTTP status: no answer, or no token. */
type LocalCode = "NO_ANSWER" | "SIGNED_OUT" | "ABORTED" | "NOT_JSON";
declare class CarillonError extends Error {
    readonly name = "CarillonError";
    /** The HTTP status; 0 if there was no answer. */
    readonly status: number;
    /** Stable, for programs: one of the API's (a newer server may have others) or of the client's own. */
    readonly code: ErrorCode | LocalCode | (string & {});
    /** What to quote to the operator; null if there was no answer. */
    readonly requestId: string | null;
    /** The wrong fields of a 422; empty otherwise. */
    readonly fields: readonly FieldError[];
    /** When it makes sense to try again, in milliseconds from then; null if the server did not say. */
    readonly retryAfter: number | null;
    constructor(message: string, given: {
        status?: number;
        code: CarillonError["code"];
        requestId?: string | null;
        fields?: readonly FieldError[];
        retryAfter?: number | null;
        cause?: unknown;
    });
    /** Whether the same request may succeed later: no answer, 408, 429, 500, 502, 503, 504. */
    get isTemporary(): boolean;
}

/** Generated from the API's own documents by `npm run generate`. Do not edit by hand. */
/** Why the server closed a socket. 4000 to 4499: connect again; 4500 to 4999: do not. */
declare const CLOSE_CODES: {
    readonly NOT_UTF8: 1007;
    readonly FLOODING: 1008;
    readonly TOO_LONG: 1009;
    readonly RESTARTING: 1012;
    readonly OVER_CAPACITY: 1013;
    readonly SILENT: 4400;
    readonly TOKEN_EXPIRED: 4401;
    readonly SLOW_READER: 4408;
    readonly DISABLED: 4500;
    readonly REPLACED: 4501;
};
type CloseCode = (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES];

/**
 * A value that changes, and those who want to know: what the client shows to the outside.
 *
 * `get` gives the same object until it changes, so that React's `useSyncExternalStore` and a comparison by `===` work.
 */
interface Observable<T> {
    /** The value now. */
    get(): T;
    /** Call `listener` after every change; returns what ends it. Nothing is called at once. */
    subscribe(listener: () => void): () => void;
}

/**
 * What the client takes from the world around it: clocks, chance, the network and the browser's own things.
 *
 * Everything else takes it from here and never from a global, so that tests can give their own and the package can be
 * imported where there is no `window`. What a platform does not have is undefined.
 */
interface Platform {
    /** Unix milliseconds. */
    now(): number;
    /** At least 0, below 1. */
    random(): number;
    /** A random UUID, for `Idempotency-Key` and `client_ref`. */
    uuid(): string;
    /** Call `callback` after so many milliseconds; returns what takes it back. */
    after(milliseconds: number, callback: () => void): () => void;
    readonly fetch: typeof fetch;
    readonly WebSocket: typeof WebSocket;
    /** Web Locks, for electing the tab that holds the socket. Only in a secure context. */
    readonly locks: LockManager | undefined;
    readonly BroadcastChannel: typeof BroadcastChannel | undefined;
    /** Call `callback` when the network comes back, and when the page becomes visible; returns what ends it. */
    onWake(callback: () => void): () => void;
    /** False only if the platform knows that there is no network. */
    isOnline(): boolean;
    /** Call `callback` when the network comes or goes; returns what ends it. */
    onNetworkChange(callback: () => void): () => void;
}

/** Generated from the API's own documents by `npm run generate`. Do not edit by hand. */
type Frame = (HelloFrame | PositionFrame | NewMessageFrame | ConversationReadFrame | AllReadFrame | MessageRecalledFrame | ResyncFrame);
/**
 * `MESSAGE` or `NOTIFICATION`.
 */
type MessageType = ("MESSAGE" | "NOTIFICATION");
/**
 * What `content` is.
 */
type ContentType = ("TEXT" | "IMAGE" | "VIDEO" | "FILE" | "USER_NOTIFICATION");
/**
 * The first frame of every connection, before anything is replayed.
 */
interface HelloFrame {
    /**
     * `HELLO`.
     */
    type: "HELLO";
    /**
     * Where to go on if nothing else comes.
     */
    pos: string;
    data: ServerTime;
}
/**
 * The server's time.
 */
interface ServerTime {
    /**
     * The server's time, as Unix milliseconds: a client can tell by how much its own clock is off.
     */
    server_time_ms: number;
}
/**
 * Nothing was pushed for a while: where to go on all the same. It comes with the server's pings.
 */
interface PositionFrame {
    /**
     * `POSITION`.
     */
    type: "POSITION";
    /**
     * Where to go on after this frame.
     */
    pos: string;
}
/**
 * A message is in the person's history. It comes to every device of both people.
 */
interface NewMessageFrame {
    /**
     * `NEW_MESSAGE`.
     */
    type: "NEW_MESSAGE";
    /**
     * Where to go on after this frame: send it as `since`.
     */
    pos: string;
    data: PushedMessage;
}
/**
 * The message.
 */
interface PushedMessage {
    /**
     * Its id: the same as in histories. Show one id once, wherever it comes from.
     */
    id: number;
    /**
     * The person who sent it, or on whose behalf it was sent; null for an app's own and for notifications.
     */
    sender_id: (number | null);
    type: MessageType;
    content_type: ContentType;
    /**
     * Up to 255 characters.
     */
    title: string;
    /**
     * Text, or the JSON text of an object. For `IMAGE`, `VIDEO` and `FILE`: a URL that works for an hour by default.
     */
    content: string;
    /**
     * The file's own name; null for what is no file.
     */
    filename: (string | null);
    /**
     * Where its button leads; null without one.
     */
    action_url: (string | null);
    /**
     * What its button says; null without one.
     */
    action_text: (string | null);
    /**
     * `系统通知` for a notification, `用户私信` for a private message.
     */
    sender_name: string;
    /**
     * When it was accepted, in the deployment's time zone, without an offset.
     */
    created_at: string;
    /**
     * The same instant as Unix milliseconds.
     */
    created_at_ms: number;
    /**
     * The integer id of its app; null from person to person.
     */
    app_id: (number | null);
    /**
     * The app's name; null from person to person.
     */
    app_name: (string | null);
    /**
     * The person who gets it; null for a broadcast.
     */
    receiver_id: (number | null);
    /**
     * The `user_id` of its conversation in the receiver's list.
     */
    conversation_id: number;
    /**
     * What the sender's client called its send; only on the sender's own devices, null for everybody else.
     */
    client_ref: (string | null);
}
/**
 * The person read a conversation, here or on another device.
 */
interface ConversationReadFrame {
    /**
     * `CONVERSATION_READ`.
     */
    type: "CONVERSATION_READ";
    /**
     * Where to go on after this frame.
     */
    pos: string;
    data: ReadConversation;
}
/**
 * What was read.
 */
interface ReadConversation {
    /**
     * The `user_id` of the conversation in the list.
     */
    conversation_id: number;
    /**
     * The newest message that is read.
     */
    up_to_id: number;
    /**
     * What the conversation's counter is now.
     */
    unread_count: number;
}
/**
 * The person read everything, here or on another device: load the conversation list again.
 */
interface AllReadFrame {
    /**
     * `ALL_READ`.
     */
    type: "ALL_READ";
    /**
     * Where to go on after this frame.
     */
    pos: string;
    data: ReadEverything;
}
/**
 * What was read.
 */
interface ReadEverything {
    /**
     * The newest message that is read.
     */
    up_to_id: number;
    /**
     * How many are unread now, of all conversations.
     */
    unread_count: number;
}
/**
 * A message was taken back: take it off the screen.
 */
interface MessageRecalledFrame {
    /**
     * `MESSAGE_RECALLED`.
     */
    type: "MESSAGE_RECALLED";
    /**
     * Where to go on after this frame.
     */
    pos: string;
    data: RecalledMessage;
}
/**
 * Which message.
 */
interface RecalledMessage {
    /**
     * The message's id.
     */
    id: number;
    /**
     * The `user_id` of its conversation in the list.
     */
    conversation_id: number;
}
/**
 * Something was missed that cannot be replayed: load the conversation list and the open history again.
 *
 * The socket stays open, and live frames follow.
 */
interface ResyncFrame {
    /**
     * `RESYNC`.
     */
    type: "RESYNC";
    /**
     * Where to go on after this frame.
     */
    pos: string;
}

interface components {
    schemas: {
        /**
         * Alive
         * @description The process runs.
         */
        Alive: {
            /**
             * @description `ok`.
             * @default ok
             */
            status: string;
        };
        /**
         * AppAnswer
         * @description An app, and the caller's account in it, if any.
         */
        AppAnswer: {
            /** @description Its string id. */
            app_id: string;
            /** @description Its name. */
            app_name: string;
            /** @description The id of its group; null without one. */
            category_id: number | null;
            /** @description The name of its group; null without one. */
            category_name: string | null;
            /** @description What it is, for people. */
            description: string;
            /** @description Whether it may call and be opened. */
            is_active: boolean;
            /** @description The e-mail address of that account; null without one. */
            mapped_email: string | null;
            /** @description The caller's account in the app; null without one. */
            mapped_key: string | null;
            /** @description How it signs people on, such as `SIMPLE_API`. */
            protocol_type: string;
        };
        /**
         * AppsAnswer
         * @description A page of apps.
         */
        AppsAnswer: {
            /** @description The apps of this page. */
            items: components["schemas"]["AppAnswer"][];
            /** @description How many there are in all. */
            total: number;
        };
        /**
         * Audience
         * @description Whom a broadcast goes to: ids of people, or the app's own names for them.
         */
        Audience: {
            /**
             * @description The calling app's names for people, up to 100,000. Names without a mapping are listed in the report as `unresolved`.
             * @default null
             */
            app_user_ids: string[] | null;
            /**
             * @description Platform ids of people, up to 100,000. Instead of `app_user_ids`.
             * @default null
             */
            user_ids: number[] | null;
        };
        /**
         * BatchAnswer
         * @description The outcomes of a batch, in the order of its entries.
         */
        BatchAnswer: {
            /** @description One outcome for each entry, in their order. */
            results: (components["schemas"]["EntrySent"] | components["schemas"]["EntryRefused"])[];
        };
        /**
         * BatchBody
         * @description `POST /messages/batch`: each entry is validated by itself, later; an Invalid in its place is refused already.
         */
        BatchBody: {
            /** @description 1 to 500 sends, each as the body of `POST /messages/`. A bad entry fails alone. */
            messages: Record<string, never>[];
        };
        /**
         * BroadcastAnswer
         * @description How far a broadcast has come; `unresolved` are the names in its audience that nobody has.
         */
        BroadcastAnswer: {
            /**
             * @description When it was accepted, in the deployment's time zone, without an offset.
             * @example 2026-03-18T10:10:00
             */
            created_at: string;
            /**
             * Format: int64
             * @description The same instant as Unix milliseconds.
             * @example 1773828600000
             */
            created_at_ms: number;
            /** @description How many of them have it. */
            expanded: number;
            /** @description Parts that fail for now and are tried again. */
            failed_chunks: number;
            /** @description When it came to rest, in the deployment's time zone, without an offset; null before that. */
            finished_at: string | null;
            /** @description The same instant as Unix milliseconds; null before that. */
            finished_at_ms: number | null;
            /** @description True while an operator stops the app, or all broadcasts: nothing goes on until that ends. */
            held: boolean;
            /** @description Its id, which is that of its message. */
            id: number;
            /** @description Says that something fails; null if nothing does. */
            last_error: string | null;
            /** @description People a second who got it so far; null before the first. */
            rate_per_second: number | null;
            /** @description How many have read it; up to a minute old. */
            read: number;
            /** @description From how many people it was taken back. */
            recalled: number;
            /** @description When the first people got it, in the deployment's time zone, without an offset; null before that. */
            started_at: string | null;
            /** @description The same instant as Unix milliseconds; null before that. */
            started_at_ms: number | null;
            /** @description Where it stands. `DONE` only when every one of `total` has it. */
            status: components["schemas"]["BroadcastStatus"];
            /** @description How many people it is for. */
            total: number;
            /** @description Names in its audience that nobody has. */
            unresolved: string[];
        };
        /**
         * BroadcastLine
         * @description How far a broadcast has come, as a list shows it.
         *
         *     `last_error`: says that something fails, null if nothing does. `held`: the app is disabled or paused, or
         *     broadcasts are, and nothing goes on until that ends.
         */
        BroadcastLine: {
            /**
             * @description When it was accepted, in the deployment's time zone, without an offset.
             * @example 2026-03-18T10:10:00
             */
            created_at: string;
            /**
             * Format: int64
             * @description The same instant as Unix milliseconds.
             * @example 1773828600000
             */
            created_at_ms: number;
            /** @description How many of them have it. */
            expanded: number;
            /** @description Parts that fail for now and are tried again. */
            failed_chunks: number;
            /** @description When it came to rest, in the deployment's time zone, without an offset; null before that. */
            finished_at: string | null;
            /** @description The same instant as Unix milliseconds; null before that. */
            finished_at_ms: number | null;
            /** @description True while an operator stops the app, or all broadcasts: nothing goes on until that ends. */
            held: boolean;
            /** @description Its id, which is that of its message. */
            id: number;
            /** @description Says that something fails; null if nothing does. */
            last_error: string | null;
            /** @description People a second who got it so far; null before the first. */
            rate_per_second: number | null;
            /** @description How many have read it; up to a minute old. */
            read: number;
            /** @description From how many people it was taken back. */
            recalled: number;
            /** @description When the first people got it, in the deployment's time zone, without an offset; null before that. */
            started_at: string | null;
            /** @description The same instant as Unix milliseconds; null before that. */
            started_at_ms: number | null;
            /** @description Where it stands. `DONE` only when every one of `total` has it. */
            status: components["schemas"]["BroadcastStatus"];
            /** @description How many people it is for. */
            total: number;
        };
        /**
         * BroadcastStatus
         * @description Where a broadcast stands.
         * @enum {string}
         */
        BroadcastStatus: "SCHEDULED" | "PENDING" | "EXPANDING" | "DONE" | "CANCELLED" | "FAILED" | "RECALLING" | "RECALLED";
        /**
         * CallbackUrl
         * @description Where a button leads, with a fresh ticket.
         */
        CallbackUrl: {
            /** @description The app's callback page with `ticket` and `next`. The ticket works once, within 60 seconds. */
            callback_url: string;
        };
        /**
         * ContentType
         * @description What `content` holds.
         * @enum {string}
         */
        ContentType: "TEXT" | "IMAGE" | "VIDEO" | "FILE" | "USER_NOTIFICATION";
        /**
         * ConversationAnswer
         * @description One line of the conversation list.
         */
        ConversationAnswer: {
            /** @description The app's integer id; null for anybody else. */
            app_id: number | null;
            /** @description The app's name; null for anybody else. */
            app_name: string | null;
            /** @description The name of the person or the app. */
            full_name: string;
            /** @description False for a person; true for an app and the system. */
            is_system: boolean;
            /** @description The newest message's text, up to 200 characters; for anything but text its type, such as `[IMAGE]`. */
            last_message: string;
            /** @description What the newest message's content is. */
            last_message_type: components["schemas"]["ContentType"];
            /** @description How many of its messages the caller has not read. */
            unread_count: number;
            /**
             * @description When the newest message came, in the deployment's time zone, without an offset.
             * @example 2026-03-18T10:10:00
             */
            updated_at: string;
            /**
             * Format: int64
             * @description The same instant as Unix milliseconds.
             * @example 1773828600000
             */
            updated_at_ms: number;
            /** @description Names the conversation: above 0 the other person's id, below 0 minus the app's integer id, 0 the system. */
            user_id: number;
            /** @description The person's mobile number, the app's string id, or `system`. */
            username: string;
        };
        /**
         * EntryRefused
         * @description One entry of a batch that was refused; `detail` and `code` are as in any response of this status.
         */
        EntryRefused: {
            /** @description The error's code, for programs. */
            code: string;
            /** @description A sentence, or for 422 a list that names each wrong field. */
            detail: string | {
                [key: string]: unknown;
            }[];
            /** @description Its place in the batch, from 0. */
            index: number;
            /** @description The HTTP status that this entry alone would have had. */
            status: number;
        };
        /**
         * EntrySent
         * @description One entry of a batch that was sent.
         */
        EntrySent: {
            /** @description The message, as `POST /messages/` answers it. */
            message: components["schemas"]["MessageAnswer"];
            /** @description 200. */
            status: number;
        };
        /** @description What is wrong with the fields of a request. */
        FieldProblems: {
            /**
             * @description Which error it is, a stable word; the response of each status lists its own. Treat one that you do not know by the status.
             * @example UNKNOWN_RECEIVER
             */
            code: string;
            /** @description One entry for each thing that is wrong. */
            detail: {
                /** @description Where: `body`, `path`, `query` or `header`, then the names of fields and places in lists. */
                loc: (string | number)[];
                /** @description What is wrong, as a sentence. */
                msg: string;
                /** @description A stable word for the kind of mistake. */
                type: string;
            }[];
            /** @description As in the header `X-Request-Id`. */
            request_id: string;
        };
        /**
         * FormWay
         * @description Upload by POST of a form with these fields, the file last as `file`.
         */
        FormWay: {
            /** @description Fields of the form, to be sent before the file. */
            fields: {
                [key: string]: string;
            };
            /** @description `POST`. */
            method: string;
            /** @description Where to. */
            url: string;
        };
        /**
         * ListedPerson
         * @description A person, as the list shows them; `is_deleted` is 0 or 1.
         */
        ListedPerson: {
            /** @description The English name; may be empty. */
            english_name: string;
            /** @description The platform id. */
            id: number;
            /** @description 1 for somebody who was deleted, else 0. */
            is_deleted: number;
            /** @description The mobile number; may be empty. */
            mobile: string;
            /** @description The name. */
            name: string;
            /** @description `ADMIN` or `ORDINARY_USER`. */
            role: string;
            /** @description `ACTIVE`, or why not, such as `DISABLED`. */
            status: string;
        };
        /**
         * LoginBody
         * @description `POST /simple/sso-login`; the client document sends an empty username and password.
         */
        LoginBody: {
            /** @description The app's string id. */
            app_id: string;
            /**
             * @description Ignored; old clients send it empty.
             * @default
             */
            password: string;
            /**
             * @description Ignored; old clients send it empty.
             * @default
             */
            username: string;
        };
        /**
         * MessageAnswer
         * @description A message, as the client document's MessageResponse.
         */
        MessageAnswer: {
            /** @description What its button says; null without one. */
            action_text: string | null;
            /** @description Where its button leads; null without one. One that begins with `/api/v1/simple/sso/jump` signs on: ask for its address with `GET /messages/{message_id}/callback-url`. */
            action_url: string | null;
            /** @description The integer id of its app; null from person to person. */
            app_id: number | null;
            /** @description The app's name; null from person to person. */
            app_name: string | null;
            /** @description What the sender's client called its send; null for everybody else. */
            client_ref: string | null;
            /** @description Text, or the JSON text of an object. For `IMAGE`, `VIDEO` and `FILE`: a URL that needs no token and works for an hour by default. */
            content: string;
            /** @description What `content` is. */
            content_type: components["schemas"]["ContentType"];
            /**
             * @description When it was accepted, in the deployment's time zone, without an offset.
             * @example 2026-03-18T10:10:00
             */
            created_at: string;
            /**
             * Format: int64
             * @description The same instant as Unix milliseconds.
             * @example 1773828600000
             */
            created_at_ms: number;
            /** @description The file's own name; null for what is no file. */
            filename: string | null;
            /** @description Its id, below 2^53. A message that was accepted later has a higher one. */
            id: number;
            /** @description Whether the receiver has read it. Of a message that the caller sent: whether the other side has. */
            is_read: boolean;
            /** @description When it was read, in the deployment's time zone, without an offset; null while it is not. */
            read_at: string | null;
            /** @description The same instant as Unix milliseconds; null while it is not read. */
            read_at_ms: number | null;
            /** @description The person who gets it; null for a broadcast. */
            receiver_id: number | null;
            /** @description The person who sent it, or on whose behalf it was sent; null for an app's own and for notifications. */
            sender_id: number | null;
            /** @description Up to 255 characters. */
            title: string;
            /** @description `MESSAGE` or `NOTIFICATION`. */
            type: components["schemas"]["MessageType"];
        };
        /**
         * MessageStatus
         * @description How far a message has come (contract §2).
         * @enum {string}
         */
        MessageStatus: "SCHEDULED" | "ACCEPTED" | "DELIVERED" | "FAILED" | "CANCELLED" | "RECALLED";
        /**
         * MessageType
         * @description Whether a person speaks or something is announced.
         * @enum {string}
         */
        MessageType: "MESSAGE" | "NOTIFICATION";
        /**
         * MessageWithStatus
         * @description A message and how far it has come.
         */
        MessageWithStatus: {
            /** @description What its button says; null without one. */
            action_text: string | null;
            /** @description Where its button leads; null without one. One that begins with `/api/v1/simple/sso/jump` signs on: ask for its address with `GET /messages/{message_id}/callback-url`. */
            action_url: string | null;
            /** @description The integer id of its app; null from person to person. */
            app_id: number | null;
            /** @description The app's name; null from person to person. */
            app_name: string | null;
            /** @description What the sender's client called its send; null for everybody else. */
            client_ref: string | null;
            /** @description Text, or the JSON text of an object. For `IMAGE`, `VIDEO` and `FILE`: a URL that needs no token and works for an hour by default. */
            content: string;
            /** @description What `content` is. */
            content_type: components["schemas"]["ContentType"];
            /**
             * @description When it was accepted, in the deployment's time zone, without an offset.
             * @example 2026-03-18T10:10:00
             */
            created_at: string;
            /**
             * Format: int64
             * @description The same instant as Unix milliseconds.
             * @example 1773828600000
             */
            created_at_ms: number;
            /** @description The file's own name; null for what is no file. */
            filename: string | null;
            /** @description Its id, below 2^53. A message that was accepted later has a higher one. */
            id: number;
            /** @description Whether the receiver has read it. Of a message that the caller sent: whether the other side has. */
            is_read: boolean;
            /** @description When it was read, in the deployment's time zone, without an offset; null while it is not. */
            read_at: string | null;
            /** @description The same instant as Unix milliseconds; null while it is not read. */
            read_at_ms: number | null;
            /** @description The person who gets it; null for a broadcast. */
            receiver_id: number | null;
            /** @description The person who sent it, or on whose behalf it was sent; null for an app's own and for notifications. */
            sender_id: number | null;
            /** @description How far it has come. */
            status: components["schemas"]["MessageStatus"];
            /** @description Up to 255 characters. */
            title: string;
            /** @description `MESSAGE` or `NOTIFICATION`. */
            type: components["schemas"]["MessageType"];
        };
        /**
         * PeopleAnswer
         * @description A page of people.
         */
        PeopleAnswer: {
            /** @description The people of this page, by id. */
            items: components["schemas"]["ListedPerson"][];
            /** @description How many there are in all; with a keyword counted up to 100,000. */
            total: number;
        };
        /**
         * PersonAnswer
         * @description A person, as a search finds them.
         */
        PersonAnswer: {
            /** @description The English name; may be empty. */
            english_name: string;
            /** @description The platform id. */
            id: number;
            /** @description The mobile number; may be empty. */
            mobile: string;
            /** @description The name. */
            name: string;
            /** @description `ACTIVE`, or why not, such as `DISABLED`. */
            status: string;
        };
        /** @description Why a request was refused or failed. */
        Problem: {
            /**
             * @description Which error it is, a stable word; the response of each status lists its own. Treat one that you do not know by the status.
             * @example UNKNOWN_RECEIVER
             */
            code: string;
            /** @description What is wrong: a sentence, for logs and people. Programs go by `code`. */
            detail: string;
            /** @description As in the header `X-Request-Id`. */
            request_id: string;
            /** @description With `CLOCK_SKEW` only: the server's time in Unix seconds. */
            server_time?: number;
        };
        /**
         * PutWay
         * @description Upload by PUT with these headers.
         */
        PutWay: {
            /** @description Headers to send, exactly these. */
            headers: {
                [key: string]: string;
            };
            /** @description `PUT`. */
            method: string;
            /** @description Where to. */
            url: string;
        };
        /**
         * ReadBody
         * @description `PUT /messages/conversations/{other_user_id}/read`: without `up_to_id`, all of it.
         */
        ReadBody: {
            /**
             * @description The newest message that the person has seen. Without it all of the conversation is read.
             * @default null
             */
            up_to_id: number | null;
        };
        /**
         * Ready
         * @description What the process needs, each `ok` or `away`.
         */
        Ready: {
            /** @description `ok`. */
            broker: string;
            /** @description `ok`. */
            bus: string;
            /** @description `ok`. */
            database: string;
        };
        /**
         * RedirectUrl
         * @description Where to go to sign on.
         */
        RedirectUrl: {
            /** @description The app's callback page with a ticket, which works once, within 60 seconds. */
            redirect_url: string;
        };
        /**
         * SendBody
         * @description `POST /messages/` (contract §2).
         */
        SendBody: {
            /**
             * @description What the button says, up to 255 characters.
             * @default null
             */
            action_text: string | null;
            /**
             * @description A button of the sender's own: an absolute http(s) URL. It wins over `auto_sso`.
             * @default null
             */
            action_url: string | null;
            /**
             * @description The string id of an app: with `app_user_id` it names the receiver, otherwise the app of the button. On an app's call only its own.
             * @default null
             */
            app_id: string | null;
            /**
             * @description The receiver, as the app calls them; resolved through the app's mappings.
             * @default null
             */
            app_user_id: string | null;
            /**
             * @description Broadcasts only: these people instead of everyone.
             * @default null
             */
            audience: components["schemas"]["Audience"] | null;
            /**
             * @description Make a button that signs the person in to the app and goes on to `target_url`. With `NOTIFICATION` or `USER_NOTIFICATION`.
             * @default false
             */
            auto_sso: boolean;
            /**
             * @description The client's own name for this send, up to 64 characters. It comes back in the answer and in the frames of the sender's own devices.
             * @default null
             */
            client_ref: string | null;
            /** @description Text, or a JSON object (it comes back as its JSON text), up to 64 KiB by default. For `IMAGE`, `VIDEO` and `FILE`: the key of an uploaded object (`POST /media/uploads`). */
            content: string | Record<string, never>;
            /**
             * @description What `content` is. `USER_NOTIFICATION`, a card that clients show in their own way, goes with `MESSAGE` only.
             * @default TEXT
             */
            content_type: components["schemas"]["ContentType"];
            /**
             * @description Apps only, with `NOTIFICATION` and no receiver: to everyone who is active now, or to `audience`.
             * @default false
             */
            is_broadcast: boolean;
            /**
             * @description The receiver's platform id. Exactly one way to name the receiver; none for a broadcast.
             * @default null
             */
            receiver_id: number | null;
            /**
             * @description Send later: an instant with an offset (RFC 3339), up to 90 days ahead. Up to a minute in the past means now.
             * @default null
             */
            send_at: string | null;
            /**
             * @description Apps only: the account of the person on whose behalf the app sends.
             * @default null
             */
            sender_app_user_id: string | null;
            /**
             * @description Where the button of `auto_sso` leads: an absolute http(s) URL on a host that the app has registered.
             * @default null
             */
            target_url: string | null;
            /** @description What lists and banners show: 1 to 255 characters. */
            title: string;
            /** @description `MESSAGE` (somebody speaks) or `NOTIFICATION` (something is announced; apps only). */
            type: components["schemas"]["MessageType"];
        };
        /**
         * SignedOn
         * @description The person whose ticket it was; `app_user_id` and `mapped_email` are null without a mapping.
         */
        SignedOn: {
            /** @description The app's name for them; null without a mapping. */
            app_user_id: string | null;
            /** @description The e-mail address of that account; null without a mapping. */
            mapped_email: string | null;
            /** @description Their name. */
            name: string;
            /** @description The person's platform id. */
            user_id: number;
        };
        /**
         * SocketTicket
         * @description Opens one WebSocket, soon.
         */
        SocketTicket: {
            /** @description Seconds in which the socket has to be opened. */
            expires_in: number;
            /** @description What to send as `ticket` in the query. It works once. */
            ticket: string;
        };
        /**
         * Total
         * @description How many are unread.
         */
        Total: {
            /** @description Unread messages of all conversations. */
            total: number;
        };
        /**
         * UnreadAnswer
         * @description A page of the people who have not read a broadcast, by user id.
         */
        UnreadAnswer: {
            /** @description People who have it and have not read it, by user id. */
            items: components["schemas"]["UnreadPersonAnswer"][];
        };
        /**
         * UnreadPersonAnswer
         * @description A person who has not read a broadcast; `app_user_id` is the app's name for them, null without a mapping.
         */
        UnreadPersonAnswer: {
            /** @description The calling app's name for them; null without a mapping. */
            app_user_id: string | null;
            /** @description Their name. */
            name: string;
            /** @description The person's platform id. */
            user_id: number;
        };
        /**
         * UpdatedCount
         * @description How many deliveries became read.
         */
        UpdatedCount: {
            /** @description How many messages became read by this call. */
            updated_count: number;
        };
        /**
         * UploadAnswer
         * @description The key to send, and how to upload its object within `expires_in` seconds.
         */
        UploadAnswer: {
            /** @description Seconds in which the upload has to be done. */
            expires_in: number;
            /** @description What to send as `content`. */
            key: string;
            /** @description How to upload the object: with `headers` the bare file, with `fields` a form. */
            upload: components["schemas"]["PutWay"] | components["schemas"]["FormWay"];
        };
        /**
         * UploadBody
         * @description `POST /media/uploads`: `size` in bytes; a type as a browser's `File` has it, maybe empty.
         */
        UploadBody: {
            /**
             * @description The file's media type, such as `image/png`. Empty: `application/octet-stream`. Parameters are dropped.
             * @default application/octet-stream
             */
            content_type: string;
            /** @description The file's own name, 1 to 255 characters. Readers get it back. */
            filename: string;
            /** @description Bytes, exactly; up to 100 MiB by default. */
            size: number;
        };
        /**
         * VerifyBody
         * @description `POST /simple/sso/verify`.
         */
        VerifyBody: {
            /** @description The `ticket` from the URL of your callback page. It works once, within 60 seconds. */
            ticket: string;
        };
    };
    responses: {
        /**
         * @description Not signed in, or the token or signature is invalid or expired.
         *
         *     - `NOT_SIGNED_IN`: Not signed in, or the token or signature is invalid or expired. Get a new token; an app: check its id, secret and signed text. The operator's log has the reason, by the request id.
         *     - `TOKEN_EXPIRED`: The token's signature is good, but its time is over. Get a new token, then repeat the request.
         *     - `CLOCK_SKEW`: X-Timestamp differs too much from the server's clock, which stands beside it as `server_time`. Set the clock, or sign with Unix seconds where milliseconds were taken.
         *     - `HEADER_MISSING`: A header that says who is calling is missing; the sentence names it. Send it. A proxy on the way may have removed it.
         *     - `HEADER_MALFORMED`: A header that says who is calling has the wrong form; the sentence says which form it must have. Send it in that form.
         */
        Error401: {
            headers: {
                /**
                 * @description The ways to say who is calling.
                 * @example Bearer realm="carillon"
                 */
                "WWW-Authenticate"?: string;
                /**
                 * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                 * @example 3f0c1d2e9a7b4c58
                 */
                "X-Request-Id"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description The caller may not do this.
         *
         *     - `NOT_ALLOWED`: The caller may not do this. Do not repeat it.
         *     - `FOR_PEOPLE_ONLY`: This call is for signed-in people, not for apps. Call with a person's token, and without X-App-Id.
         *     - `FOR_APPS_ONLY`: This call is for apps, not for people. Have the app's server make it.
         *     - `OTHER_APP`: `app_id` in the body is not the calling app's. Leave it out, or write the id of X-App-Id.
         *     - `NOT_THE_SENDER`: Only its sender may take a message back. Do not repeat it.
         *     - `RECALL_TOO_LATE`: The message is too old for its sender to take it back. Do not repeat it. An app may take back what it sent at any time.
         *     - `NOT_YOUR_UPLOAD`: `content` is not an object that the caller uploaded. Upload it first (`POST /media/uploads`), as the same caller, and send the key from that answer.
         *     - `NO_ACCOUNT`: The person has no account in this app. Do not repeat it. The operator adds accounts: `carillon mapping import`.
         *     - `LINK_NOT_VALID`: The URL of a media object was not made here, or was changed. Use the URL as it came; read the message again for a new one.
         *     - `LINK_EXPIRED`: The time of this media URL is over. Read the message again, or announce the upload again, for a new one.
         *     - `ROLE_TOO_LOW`: The operator's role does not allow this. Ask an operator who may; the attempt is in the audit.
         *     - `TOKEN_IS_A_SETTING`: Who signed in with the operator's token has no password to change. Change CARILLON_CONSOLE_TOKEN, or add a named operator.
         */
        Error403: {
            headers: {
                /**
                 * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                 * @example 3f0c1d2e9a7b4c58
                 */
                "X-Request-Id"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description No such thing, or not the caller's.
         *
         *     - `NOT_FOUND`: There is no such thing, or the caller may not see it. Look it up again.
         *     - `UNKNOWN_PATH`: There is nothing at this path. Compare the path with `/openapi.json`; the API's begin with `/api/v1`.
         *     - `UNKNOWN_RECEIVER`: The receiver does not exist, or is not active. Do not repeat it; look the person up again.
         *     - `NO_MAPPING`: The app has no mapping for this `app_user_id`. Check the account's name. The operator adds accounts: `carillon mapping import`.
         *     - `UNKNOWN_SENDER`: The app has no mapping for this `sender_app_user_id`. Check the account's name. The operator adds accounts: `carillon mapping import`.
         *     - `UNKNOWN_APP`: There is no such app, or it is not active. Check the string id of the app.
         *     - `UNKNOWN_PERSON`: There is no such person. Look the person up again.
         *     - `UNKNOWN_MESSAGE`: There is no such message, it is not this caller's, or it was taken back. Take it off the screen.
         *     - `UNKNOWN_BROADCAST`: There is no such broadcast, or another app sent it. Check the id: it is that of the message which the send answered.
         *     - `UNKNOWN_TICKET`: The ticket is unknown, of another app, too old, or was used. Do not sign the person in; let them press the button again.
         *     - `UNKNOWN_OBJECT`: There is no such media object. Read the message again.
         */
        Error404: {
            headers: {
                /**
                 * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                 * @example 3f0c1d2e9a7b4c58
                 */
                "X-Request-Id"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description This path does not take this method.
         *
         *     - `METHOD_NOT_ALLOWED`: This path does not take this method. Use one of those in the header `Allow`.
         */
        Error405: {
            headers: {
                /**
                 * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                 * @example 3f0c1d2e9a7b4c58
                 */
                "X-Request-Id"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description The body did not arrive in time.
         *
         *     - `REQUEST_TIMEOUT`: The request did not arrive in time, or not whole. Send it again; a send with the same `Idempotency-Key`.
         */
        Error408: {
            headers: {
                /**
                 * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                 * @example 3f0c1d2e9a7b4c58
                 */
                "X-Request-Id"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description The thing is in a state that does not allow this.
         *
         *     - `IN_CONFLICT`: The thing is in a state that does not allow this. Look at it again, then decide.
         *     - `PERSON_ERASED`: The person was erased, and nothing brings them back. Leave the id out.
         *     - `ALREADY_UPLOADED`: The object was uploaded before, and no object is written twice. Send the message with its key, or announce a new upload.
         *     - `APP_EXISTS`: There already is an app of this string id. Choose another id.
         */
        Error409: {
            headers: {
                /**
                 * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                 * @example 3f0c1d2e9a7b4c58
                 */
                "X-Request-Id"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description The body, or a field of it, is too long.
         *
         *     - `BODY_TOO_LARGE`: The body is longer than this call takes. Do not repeat it; change the request.
         *     - `CONTENT_TOO_LARGE`: `content` is longer than a message may be. Shorten it, or upload it as a file.
         *     - `UPLOAD_TOO_LARGE`: The upload is larger than allowed, or than was announced. Announce the true size; a larger file cannot be taken.
         */
        Error413: {
            headers: {
                /**
                 * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                 * @example 3f0c1d2e9a7b4c58
                 */
                "X-Request-Id"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description A field of the body, path, query or headers is wrong.
         *
         *     - `VALIDATION`: Something in the body, path, query or headers is wrong; `detail` lists each with its place. Do not repeat it; change the request.
         *     - `BODY_NOT_JSON`: The body is not a JSON object that can be read. Do not repeat it; change the request.
         *     - `IGNORED_FIELD`: With `Prefer: handling=strict`: something is unknown, or would have no effect; `detail` lists each. Correct its name, leave it out, or send without the preference.
         *     - `KEY_REUSED`: This `Idempotency-Key` was used before, with another body. Make a new key for every new send; keep it only to repeat the very same one.
         *     - `HOST_NOT_ALLOWED`: The app allows no button to this host. An operator adds hosts: `carillon app update APP_ID --add-host HOST`.
         *     - `NOT_UPLOADED`: The object was announced and not uploaded yet. Finish the upload, then send the message.
         *     - `UPLOAD_INCOMPLETE`: Fewer bytes came than the upload was announced with. Upload it again, whole, with the same URL.
         *     - `SEND_AT_PAST`: `send_at` is more than a minute in the past. Leave it out to send at once; check the offset of the time.
         *     - `NO_BUTTON`: The message has no button that signs on. Open its `action_url`, if it has one, as it is.
         */
        Error422: {
            headers: {
                /**
                 * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                 * @example 3f0c1d2e9a7b4c58
                 */
                "X-Request-Id"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["FieldProblems"];
            };
        };
        /**
         * @description Over a limit; try again after Retry-After seconds.
         *
         *     - `RATE_LIMITED`: The caller asks more often than it may. Wait as long as `Retry-After` says, then send the same request again; a send with the same `Idempotency-Key`.
         *     - `QUOTA_USED_UP`: The app has sent as many messages as it may in a day. Go on after midnight UTC (`Retry-After`), or ask the operator for more.
         *     - `TOO_MANY_AT_ONCE`: The caller has too many requests in hand. Wait for their answers; send fewer at once.
         */
        Error429: {
            headers: {
                /**
                 * @description Seconds to wait before the same request may be sent again.
                 * @example 3
                 */
                "Retry-After"?: string;
                /**
                 * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                 * @example 3f0c1d2e9a7b4c58
                 */
                "X-Request-Id"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description Something went wrong here.
         *
         *     - `INTERNAL`: Something went wrong here. Repeat it once, a send with the same `Idempotency-Key`; then give the operator the request id.
         */
        Error500: {
            headers: {
                /**
                 * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                 * @example 3f0c1d2e9a7b4c58
                 */
                "X-Request-Id"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description Cannot be taken now; try again after Retry-After seconds.
         *
         *     - `UNAVAILABLE`: The request cannot be taken now. Wait as long as `Retry-After` says, then send the same request again; a send with the same `Idempotency-Key`.
         *     - `DATABASE_AWAY`: The database cannot be reached, or is too busy. Wait as long as `Retry-After` says, then send the same request again; a send with the same `Idempotency-Key`.
         *     - `BUS_AWAY`: The message bus cannot be reached. Wait as long as `Retry-After` says, then send the same request again; a send with the same `Idempotency-Key`.
         *     - `MEDIA_STORE_AWAY`: The media store cannot be asked, or its URLs cannot be signed. Wait as long as `Retry-After` says, then send the same request again; a send with the same `Idempotency-Key`.
         *     - `QUEUE_FULL`: Too much is waiting to be delivered. Wait as long as `Retry-After` says, then send the same request again; a send with the same `Idempotency-Key`.
         *     - `NOT_CONFIRMED`: The send was not stored in time; it may have been accepted all the same. Repeat it with the same `Idempotency-Key`; without a key it may be sent twice.
         *     - `NOT_READY`: The process cannot take work: what it needs is away or not up to date. For probes: send nobody here until it answers 200.
         *     - `TOO_MANY_CONNECTIONS`: The server has no room for more connections. Wait as long as `Retry-After` says; keep connections open and use them again.
         */
        Error503: {
            headers: {
                /**
                 * @description Seconds to wait before the same request may be sent again.
                 * @example 3
                 */
                "Retry-After"?: string;
                /**
                 * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                 * @example 3f0c1d2e9a7b4c58
                 */
                "X-Request-Id"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}

/** Names for the shapes of REST that the client uses. */

type Schemas = components["schemas"];
type Message$1 = Schemas["MessageAnswer"];
type Conversation = Schemas["ConversationAnswer"];
type Person = Schemas["PersonAnswer"];
type AppAccount = Schemas["AppAnswer"];

/**
 * The shapes that the client's parts share and its users see. No code.
 *
 * Shapes of the API itself are generated into `api/generated/` from `/openapi.json` and `/asyncapi.json`; this page is
 * about the client: what it is given, what it does, and what it shows.
 */

/** Why a token is wanted: the first one, or another because the server said that the last one is no longer good. */
type TokenReason = "start" | "expired" | "refused";
interface ClientOptions {
    /** Where the API is, without `/api/v1`: `https://messages.example.com`, or `""` for the page's own origin. */
    baseUrl: string;
    /**
     * Give a token that is good now, or null if the person is signed out: the client stops then. Asked once at a time,
     * however many requests wait, and again only after the server refused the last one.
     */
    getToken(reason: TokenReason): Promise<string | null> | string | null;
    /** One socket for all tabs of this browser (default true where Web Locks are). False: a socket for this client alone. */
    shareSocket?: boolean;
    /** The world around; the browser's or Node's own if not given. */
    platform?: Partial<Platform>;
}
interface CarillonClient {
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
interface RequestOptions {
    query?: Record<string, string | number | boolean | undefined>;
    /** Sent as JSON. */
    body?: unknown;
    headers?: Record<string, string>;
    signal?: AbortSignal;
    /**
     * How often a request that got no answer, 429 or 503 is repeated, with pauses (default 0; methods that may be repeated: 2).
     */
    retries?: number;
}
interface Page<T> {
    items: T[];
    /** What to ask for next; null at the end. */
    cursor: string | null;
}
/** What a person writes. */
interface Draft {
    title?: string;
    content: string | Record<string, unknown>;
    content_type?: "TEXT" | "IMAGE" | "VIDEO" | "FILE";
}
interface SendRequest extends Draft {
    receiver_id: number;
    client_ref?: string;
    idempotency_key?: string;
    send_at?: string;
}
interface UploadedFile {
    /** What to send as `content`. */
    key: string;
    content_type: "IMAGE" | "VIDEO" | "FILE";
}
/** The REST API as the person. Every call rejects with a CarillonError. A token that has expired is replaced once. */
interface Rest {
    /** Any request below `/api/v1`; gives its JSON, or null for an answer without a body. */
    request<T>(method: string, path: string, options?: RequestOptions): Promise<T>;
    listConversations(options?: {
        limit?: number;
        cursor?: string | null;
        signal?: AbortSignal;
    }): Promise<Page<Conversation>>;
    /** Newest first. */
    getHistory(peer: number, options?: {
        limit?: number;
        before_id?: number;
        signal?: AbortSignal;
    }): Promise<Message$1[]>;
    send(request: SendRequest): Promise<Message$1>;
    recall(messageId: number): Promise<void>;
    /** Everything up to that message is read; gives how many became read. */
    markRead(peer: number, upToId: number): Promise<number>;
    getUnreadCount(): Promise<number>;
    getCallbackUrl(messageId: number): Promise<string>;
    searchPeople(q: string, options?: {
        limit?: number;
        signal?: AbortSignal;
    }): Promise<Person[]>;
    listLaunchpadApps(): Promise<AppAccount[]>;
    /** Where to go to be signed on to an app. */
    signOn(appId: string): Promise<string>;
    upload(file: File, options?: {
        onProgress?: (fraction: number) => void;
        signal?: AbortSignal;
    }): Promise<UploadedFile>;
    /** A ticket for one socket, for 30 s. */
    issueSocketTicket(): Promise<string>;
}
type StopReason = "signed_out" | "disabled" | "replaced" | "flooding" | "refused" | "closed";
type ConnectionState = {
    status: "idle";
} | {
    status: "connecting";
    attempt: number;
} | {
    status: "open";
}
/** The next attempt is at `retryAt`, Unix milliseconds; `error` is what the last one ran into. */
 | {
    status: "waiting";
    attempt: number;
    retryAt: number;
    error: CarillonError | null;
}
/** The platform says that there is no network: tried again as soon as there is. */
 | {
    status: "offline";
}
/** Nothing is tried any more until `start`. */
 | {
    status: "stopped";
    reason: StopReason;
    code: CloseCode | null;
};
/**
 * Frames, in order, each once, over however many sockets: this client's own, or that of another tab.
 *
 * Between two frames nothing is missing, except before a `RESYNC`: then everything that was read before is to be read again.
 */
interface Connection {
    readonly state: Observable<ConnectionState>;
    /** How far the server's clock is ahead of the platform's, in milliseconds; 0 until it is known. */
    readonly clockOffset: Observable<number>;
    start(): void;
    stop(): void;
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
type Delivery = "sending" | "sent" | "failed";
/** A message in the store: the API's, and what is known here only. */
interface Message {
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
    content_type: Message$1["content_type"];
    title: string;
    content: string;
    filename: string | null;
    action_url: string | null;
    action_text: string | null;
    created_at_ms: number;
    /** Of my own message: whether the other side has read it. Of another's: whether I have. */
    is_read: boolean;
    read_at_ms: number | null;
    is_mine: boolean;
    delivery: Delivery;
    /** Why `delivery` is `failed`. */
    error: CarillonError | null;
}
interface ConversationList {
    /** Newest first. */
    items: readonly Conversation[];
    /** Whether older ones can be loaded. */
    hasMore: boolean;
    isLoading: boolean;
    error: CarillonError | null;
}
interface History {
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
interface Store {
    readonly conversations: Observable<ConversationList>;
    /** How many are unread, of all conversations: the one number for a badge. */
    readonly unreadCount: Observable<number>;
    /** The history of a conversation; the same observable for the same peer. It is empty until `open`. */
    history(peer: number): Observable<History>;
    /** Load the newest page and keep it up to date until the returned function is called. Counted: two may hold it open. */
    open(peer: number): () => void;
    loadOlder(peer: number): Promise<void>;
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

export { type Conversation as ApiConversation, type Message$1 as ApiMessage, type AppAccount, CLOSE_CODES, type CarillonClient, CarillonError, type ClientOptions, type CloseCode, type Connection, type ConnectionState, type ConversationList, type Delivery, type Draft, type ErrorCode, type FieldError, type Frame, type History, type LocalCode, type Message, type Observable, type Page, type Person, type Platform, type PushedMessage, type RequestOptions, type Rest, type SendRequest, type StopReason, type Store, type TokenReason, type UploadedFile };
