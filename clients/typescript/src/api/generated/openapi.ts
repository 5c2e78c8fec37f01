/** Generated from the API's own documents by `npm run generate`. Do not edit by hand. */
export interface paths {
    "/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The start page: where the documents, the console and the inbox are, and how the processes are. */
        get: operations["show_home"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/apps/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Active apps with `search` in their name or id: an administrator's all, anyone else's own. */
        get: operations["list_apps"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/apps/me/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What became of what the calling app sent, in order.
         * @description Asking for what comes after a number says that the app has everything up to it. Only what the operator asked for with `carillon app callback` is there.
         */
        get: operations["list_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/broadcasts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The calling app's broadcasts, the last accepted first, also those that are not due yet. */
        get: operations["list_broadcasts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/broadcasts/{broadcast_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far a broadcast has come, to the app that sent it. */
        get: operations["get_broadcast"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/broadcasts/{broadcast_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop a broadcast: what is not expanded when this answers never will be.
         * @description What was delivered stays. One that has come to rest stays as it is: the status tells.
         */
        post: operations["cancel_broadcast"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/broadcasts/{broadcast_id}/unread": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the people who have the broadcast and have not read it, by user id; go on after the last of a page. */
        get: operations["list_unread"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/media/objects/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Download an object with a URL from a message. */
        get: operations["get_object"];
        /** Upload an object with the URL from `POST /media/uploads`: exactly the size announced. */
        put: operations["put_object"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/media/uploads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Announce an upload: the key to send as `content`, and how to upload its object. */
        post: operations["start_upload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a message, a notification or a broadcast.
         * @description With 200 it is on durable storage and will be delivered exactly once.
         */
        post: operations["send_message"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{message_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a message and how far it has come, to its sender and the app that sent it.
         * @description To its receiver while it is in their history.
         */
        get: operations["get_message"];
        put?: never;
        post?: never;
        /**
         * Take a message back: its sender for a day, the app that sent it at any time.
         * @description It is gone from every history (204); of a broadcast it will be, chunk by chunk (202).
         */
        delete: operations["recall_message"];
        options?: never;
        head?: never;
        /**
         * Change a message that the app has sent: everyone who has it is shown the new form.
         * @description What was not delivered yet is delivered in the new form only. Read state, counters and order stay.
         */
        patch: operations["change_message"];
        trace?: never;
    };
    "/api/v1/messages/{message_id}/callback-url": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where the button of a received message leads, with a fresh sign-on ticket. */
        get: operations["get_callback_url"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send up to 500 messages; each succeeds or fails alone, in the order given. */
        post: operations["send_batch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/by-ref/{ref}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change all messages that the app has sent with this `ref`, up to 1,000, in one transaction. */
        patch: operations["change_by_ref"];
        trace?: never;
    };
    "/api/v1/messages/conversations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The caller's conversations, newest first: the newest 1,000, or by page.
         * @description A conversation that gets a message while somebody pages may come again on the last pages; none is left out.
         */
        get: operations["list_conversations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/conversations/{other_user_id}/read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Mark a conversation as read, all of it or up to and with `up_to_id`. */
        put: operations["read_conversation"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/history/{other_user_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A page of a conversation, newest first: with a person (> 0), an app (< 0) or the system (0).
         * @description `is_read` of a message that the caller sent tells whether the other side has read it. What lies deep is paged by `before_id`: `skip` reads what it skips, and of far pages one after the other is answered.
         */
        get: operations["list_history"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/read-all": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Mark everything as read.
         * @deprecated
         */
        put: operations["read_all"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/todo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller's to-dos of all conversations, newest first: those that wait, or those of another state. */
        get: operations["list_todos"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/unread-count": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How many messages the caller has not read, and how many to-dos are pending. */
        get: operations["count_unread"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/simple/me/launchpad-apps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The active apps in which the caller has an account. */
        get: operations["list_launchpad"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/simple/sso-login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Open an app from the launchpad: its callback with a ticket. */
        post: operations["sign_on"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/simple/sso/jump": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Follow a button: to the app's callback with a ticket, and on to the target. */
        get: operations["jump"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/simple/sso/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Exchange a ticket of the calling app for who came with it: once, within a minute. */
        post: operations["verify_ticket"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A page of everyone with `keyword` in their name, mobile or English name.
         * @description With a keyword `total` is counted, and may be skipped, up to 100,000.
         */
        get: operations["list_people"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Active people with `q` in their name, mobile or English name. */
        get: operations["search_people"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ws/tickets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Get a ticket that opens one WebSocket, in place of a token in its URL.
         * @description Connect to `/api/v1/ws/messages?ticket=…`. It works once, and soon.
         */
        post: operations["issue_ticket"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/asyncapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The WebSocket's document: its frames, both ways, its close codes and how to resume (AsyncAPI 3). */
        get: operations["show_asyncapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The REST API as a page, to be tried out as an app or a person. */
        get: operations["show_docs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs/socket": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The WebSocket as a page. */
        get: operations["show_socket_docs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process runs. */
        get: operations["tell_alive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the process measures, for Prometheus. */
        get: operations["show_metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document. */
        get: operations["show_openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether it can take work: database (up to date), broker and bus answer, and the bus takes writes.
         * @description As it was at most half a second ago.
         */
        get: operations["tell_ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
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
         * AppEventAnswer
         * @description One event: what became of something that the app sent.
         */
        AppEventAnswer: {
            /** @description `message.read`: `reads`, up to 500 of `message_id`, `user_id`, `app_user_id` (the app's name for the person, or null), `read_at`, `read_at_ms`. `message.failed`: `message_id`, `client_ref`. Of a broadcast: `broadcast_id`, and `total`, how many people it is for, unless it failed. */
            data: {
                [key: string]: unknown;
            };
            /** @description Its number. Numbers rise with gaps; the next page comes after the highest that you have. */
            seq: number;
            /**
             * @description When it was recorded, in the deployment's time zone, without an offset.
             * @example 2026-03-18T10:10:00
             */
            time: string;
            /**
             * Format: int64
             * @description The same instant as Unix milliseconds.
             * @example 1773828600000
             */
            time_ms: number;
            /** @description What happened. */
            type: components["schemas"]["AppEventType"];
        };
        /**
         * AppEventsAnswer
         * @description A page of an app's events, in order.
         */
        AppEventsAnswer: {
            /** @description The events after the number that was asked for; none if nothing happened within the wait. */
            items: components["schemas"]["AppEventAnswer"][];
            /** @description What to ask for next, as `after`. */
            next_after: number;
        };
        /**
         * AppEventType
         * @description What can happen that an app may ask to be told of.
         * @enum {string}
         */
        AppEventType: "message.read" | "message.failed" | "broadcast.done" | "broadcast.failed" | "broadcast.cancelled" | "broadcast.recalled";
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
            messages: Record<string, unknown>[];
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
         * CardBody
         * @description `PATCH /messages/{message_id}` and `/messages/by-ref/{ref}` (contract §8): what is named changes, the rest stays.
         */
        CardBody: {
            /**
             * @description What the button says, up to 255 characters. Null takes it away.
             * @default null
             */
            action_text: string | null;
            /**
             * @description A new button of the sender's own: an absolute http(s) URL. Null takes the button away.
             * @default null
             */
            action_url: string | null;
            /**
             * @description Make a new button that signs the person in to the app and goes on to `target_url`.
             * @default false
             */
            auto_sso: boolean;
            /**
             * @description The new content, as at send.
             * @default null
             */
            content: string | Record<string, unknown> | null;
            /**
             * @description Change this version only: 409 if there is a newer one.
             * @default null
             */
            expected_version: number | null;
            /**
             * @description The new state.
             * @default null
             */
            state: components["schemas"]["CardState"] | null;
            /**
             * @description The state in the app's own words, up to 64 characters. Null takes it away.
             * @default null
             */
            state_text: string | null;
            /**
             * @description Where the button of `auto_sso` leads: an absolute http(s) URL on a host that the app has registered.
             * @default null
             */
            target_url: string | null;
            /**
             * @description The new title, 1 to 255 characters.
             * @default null
             */
            title: string | null;
        };
        /**
         * CardState
         * @description How far the matter of a card is (contract §8). A message with a state is a to-do of its receivers.
         * @enum {string}
         */
        CardState: "PENDING" | "DONE" | "REJECTED" | "CLOSED";
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
            /** @description The app's own name for the matter; null without one. */
            ref: string | null;
            /** @description The person who sent it, or on whose behalf it was sent; null for an app's own and for notifications. */
            sender_id: number | null;
            /** @description How far the matter of a card is; null for what is no to-do. */
            state: components["schemas"]["CardState"] | null;
            /** @description The state in the app's own words, such as who decided; null without one. */
            state_text: string | null;
            /** @description Up to 255 characters. */
            title: string;
            /** @description `MESSAGE` or `NOTIFICATION`. */
            type: components["schemas"]["MessageType"];
            /** @description 1 at first, one more with each change by the app that sent it. */
            version: number;
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
            /** @description The app's own name for the matter; null without one. */
            ref: string | null;
            /** @description The person who sent it, or on whose behalf it was sent; null for an app's own and for notifications. */
            sender_id: number | null;
            /** @description How far the matter of a card is; null for what is no to-do. */
            state: components["schemas"]["CardState"] | null;
            /** @description The state in the app's own words, such as who decided; null without one. */
            state_text: string | null;
            /** @description How far it has come. */
            status: components["schemas"]["MessageStatus"];
            /** @description Up to 255 characters. */
            title: string;
            /** @description `MESSAGE` or `NOTIFICATION`. */
            type: components["schemas"]["MessageType"];
            /** @description 1 at first, one more with each change by the app that sent it. */
            version: number;
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
            content: string | Record<string, unknown>;
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
             * @description Apps only, cards only: the app's own name for the matter, up to 128 characters. Several messages may share it.
             * @default null
             */
            ref: string | null;
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
             * @description Apps only, with `NOTIFICATION` or `USER_NOTIFICATION`: makes the message a to-do of its receivers.
             * @default null
             */
            state: components["schemas"]["CardState"] | null;
            /**
             * @description Apps only, cards only: the state in the app's own words, up to 64 characters.
             * @default null
             */
            state_text: string | null;
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
         * Totals
         * @description How many are unread, and how many are to be done.
         */
        Totals: {
            /** @description To-dos that are pending. */
            todo: number;
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
         *     - `SIGNATURE_VERSION`: The signature is good, but this app has to sign in a newer version. Sign in version 2 (`X-Sign-Version: 2`). The operator asked for it: `carillon app require-signature`.
         *     - `BODY_NOT_SIGNED`: `Content-Digest`, which the signature covers, is not that of the body that came. Make the digest of the bytes that are sent, and send them as they are. A proxy on the way may have changed them.
         *     - `NONCE_USED`: A request with this `X-Nonce` came before. Sign every attempt anew, with a nonce of its own; a send keeps its `Idempotency-Key`.
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
         *     - `ADDRESS_NOT_ALLOWED`: The app's calls may not come from this address. Call from one of the app's own networks. The operator lists them: `carillon app update --allow-from`.
         *     - `NO_ACCOUNT`: The person has no account in this app. Do not repeat it. The operator adds accounts: `carillon mapping import`.
         *     - `LINK_NOT_VALID`: The URL of a media object was not made here, or was changed. Use the URL as it came; read the message again for a new one.
         *     - `LINK_EXPIRED`: The time of this media URL is over. Read the message again, or announce the upload again, for a new one.
         *     - `ROLE_TOO_LOW`: The operator's role does not allow this. Ask an operator who may; the attempt is in the audit.
         *     - `TOKEN_IS_A_SETTING`: Who signed in with the operator's token has no password to change. Change CARILLON_CONSOLE_TOKEN, or add a named operator.
         *     - `DEMO_IS_LOCAL`: The demo's people sign in on the inbox's own page only, opened on the machine that Carillon runs on. Open `/inbox` on that machine, or sign in with a token.
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
         *     - `UNKNOWN_REF`: The app has sent no message with this `ref`, or all of them were recalled. Do not repeat it. The name is the one that was given at send.
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
         *     - `VERSION_CHANGED`: The message has another version than `expected_version`: it was changed meanwhile. Read it again, and decide whether the change still fits.
         *     - `MESSAGE_IS_RECALLED`: The message was recalled: nobody has it any more. Do not repeat it.
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
export type $defs = Record<string, never>;
export interface operations {
    show_home: {
        parameters: {
            query?: {
                /** @description `en` or `zh`; otherwise as the browser prefers. */
                lang?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/html; charset=utf-8": string;
                };
            };
            422: components["responses"]["Error422"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    list_apps: {
        parameters: {
            query?: {
                /** @description Apps on a page. */
                limit?: number;
                /** @description A part of the app's name or string id. Empty: every app. */
                search?: string;
                /** @description Apps to skip, up to 100,000. */
                skip?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "total": 1,
                     *       "items": [
                     *         {
                     *           "app_name": "请假",
                     *           "app_id": "leave",
                     *           "protocol_type": "SIMPLE_API",
                     *           "mapped_key": "zhangsan",
                     *           "mapped_email": "zhangsan@example.com",
                     *           "is_active": true,
                     *           "description": "请假与销假",
                     *           "category_id": null,
                     *           "category_name": null
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["AppsAnswer"];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    list_events: {
        parameters: {
            query?: {
                /** @description Only events with a higher number: `next_after` of the page before. It says that the app has all up to it. */
                after?: number;
                /** @description Events at most; there may be fewer, also if more are to come. */
                limit?: number;
                /** @description For how many seconds the answer may wait for an event if there is none, up to 30. */
                wait?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "seq": 41,
                     *           "type": "message.read",
                     *           "time": "2026-03-18T10:10:00",
                     *           "time_ms": 1773828600000,
                     *           "data": {
                     *             "reads": [
                     *               {
                     *                 "message_id": 117128467173376,
                     *                 "user_id": 31002,
                     *                 "app_user_id": "zhangsan",
                     *                 "read_at": "2026-03-18T10:10:00",
                     *                 "read_at_ms": 1773828600000
                     *               }
                     *             ]
                     *           }
                     *         },
                     *         {
                     *           "seq": 42,
                     *           "type": "broadcast.done",
                     *           "time": "2026-03-18T10:10:00",
                     *           "time_ms": 1773828600000,
                     *           "data": {
                     *             "broadcast_id": 117128467173376,
                     *             "total": 2
                     *           }
                     *         }
                     *       ],
                     *       "next_after": 42
                     *     }
                     */
                    "application/json": components["schemas"]["AppEventsAnswer"];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    list_broadcasts: {
        parameters: {
            query?: {
                /** @description Only broadcasts with a lower id: the lowest id of the page before. */
                before_id?: number | null;
                /** @description Broadcasts on a page. */
                limit?: number;
                /** @description Only broadcasts that stand there. */
                status?: components["schemas"]["BroadcastStatus"] | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example [
                     *       {
                     *         "id": 117128467173376,
                     *         "status": "DONE",
                     *         "total": 2,
                     *         "expanded": 2,
                     *         "failed_chunks": 0,
                     *         "last_error": null,
                     *         "held": false,
                     *         "recalled": 0,
                     *         "read": 1,
                     *         "created_at": "2026-03-18T10:10:00",
                     *         "created_at_ms": 1773828600000,
                     *         "started_at": "2026-03-18T10:10:00",
                     *         "started_at_ms": 1773828600000,
                     *         "finished_at": "2026-03-18T10:10:01",
                     *         "finished_at_ms": 1773828601000,
                     *         "rate_per_second": 200
                     *       }
                     *     ]
                     */
                    "application/json": components["schemas"]["BroadcastLine"][];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    get_broadcast: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The broadcast's id: that of the message which the send answered.
                 * @example 117128467173376
                 */
                broadcast_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 117128467173376,
                     *       "status": "DONE",
                     *       "total": 2,
                     *       "expanded": 2,
                     *       "failed_chunks": 0,
                     *       "last_error": null,
                     *       "held": false,
                     *       "recalled": 0,
                     *       "read": 1,
                     *       "created_at": "2026-03-18T10:10:00",
                     *       "created_at_ms": 1773828600000,
                     *       "started_at": "2026-03-18T10:10:00",
                     *       "started_at_ms": 1773828600000,
                     *       "finished_at": "2026-03-18T10:10:01",
                     *       "finished_at_ms": 1773828601000,
                     *       "rate_per_second": 200,
                     *       "unresolved": []
                     *     }
                     */
                    "application/json": components["schemas"]["BroadcastAnswer"];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            404: components["responses"]["Error404"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    cancel_broadcast: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The broadcast's id: that of the message which the send answered.
                 * @example 117128467173376
                 */
                broadcast_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 117128467173376,
                     *       "status": "DONE",
                     *       "total": 2,
                     *       "expanded": 2,
                     *       "failed_chunks": 0,
                     *       "last_error": null,
                     *       "held": false,
                     *       "recalled": 0,
                     *       "read": 1,
                     *       "created_at": "2026-03-18T10:10:00",
                     *       "created_at_ms": 1773828600000,
                     *       "started_at": "2026-03-18T10:10:00",
                     *       "started_at_ms": 1773828600000,
                     *       "finished_at": "2026-03-18T10:10:01",
                     *       "finished_at_ms": 1773828601000,
                     *       "rate_per_second": 200,
                     *       "unresolved": []
                     *     }
                     */
                    "application/json": components["schemas"]["BroadcastAnswer"];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            404: components["responses"]["Error404"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    list_unread: {
        parameters: {
            query?: {
                /** @description Only people with a higher id: the last id of the page before. */
                after_user_id?: number;
                /** @description People on a page. */
                limit?: number;
            };
            header?: never;
            path: {
                /**
                 * @description The broadcast's id: that of the message which the send answered.
                 * @example 117128467173376
                 */
                broadcast_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "user_id": 31001,
                     *           "app_user_id": "lisi",
                     *           "name": "李四"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["UnreadAnswer"];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            404: components["responses"]["Error404"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    get_object: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The object's key.
                 * @example u31001/3f0c1d2e/photo.png
                 */
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            403: components["responses"]["Error403"];
            404: components["responses"]["Error404"];
            422: components["responses"]["Error422"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    put_object: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The object's key.
                 * @example u31001/3f0c1d2e/photo.png
                 */
                key: string;
            };
            cookie?: never;
        };
        /** @description The bare file, exactly as long as it was announced. */
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            403: components["responses"]["Error403"];
            404: components["responses"]["Error404"];
            408: components["responses"]["Error408"];
            409: components["responses"]["Error409"];
            413: components["responses"]["Error413"];
            422: components["responses"]["Error422"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    start_upload: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UploadBody"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "key": "u31001/3f0c1d2e/现场照片.png",
                     *       "upload": {
                     *         "method": "PUT",
                     *         "url": "/api/v1/media/objects/u31001/3f0c1d2e/%E7%8E%B0%E5%9C%BA.png?expires=1773829500&signature=…",
                     *         "headers": {
                     *           "Content-Type": "image/png"
                     *         }
                     *       },
                     *       "expires_in": 900
                     *     }
                     */
                    "application/json": components["schemas"]["UploadAnswer"];
                };
            };
            401: components["responses"]["Error401"];
            408: components["responses"]["Error408"];
            413: components["responses"]["Error413"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    send_message: {
        parameters: {
            query?: never;
            header?: {
                /** @description Two requests with one key and one body are one send, for 24 h. */
                "Idempotency-Key"?: string;
                /** @description `wait=<seconds>`, up to 10: answer when it is in the histories. `handling=strict`: refuse what would be ignored. */
                Prefer?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SendBody"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The first answer again; nothing was sent.
                     * @example true
                     */
                    "Idempotency-Replay"?: string;
                    /**
                     * @description Of a broadcast: where its progress is.
                     * @example /api/v1/broadcasts/117128467173376
                     */
                    Location?: string;
                    /**
                     * @description The wait, if the message is in the histories; `handling=strict`, if that was asked for.
                     * @example wait=10
                     */
                    "Preference-Applied"?: string;
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 117128467173376,
                     *       "sender_id": 31001,
                     *       "receiver_id": 31002,
                     *       "app_id": null,
                     *       "app_name": null,
                     *       "type": "MESSAGE",
                     *       "content_type": "TEXT",
                     *       "title": "私信",
                     *       "content": "你好",
                     *       "filename": null,
                     *       "action_url": null,
                     *       "action_text": null,
                     *       "is_read": false,
                     *       "created_at": "2026-03-18T10:10:00",
                     *       "created_at_ms": 1773828600000,
                     *       "read_at": null,
                     *       "read_at_ms": null,
                     *       "client_ref": null,
                     *       "state": null,
                     *       "state_text": null,
                     *       "ref": null,
                     *       "version": 1
                     *     }
                     */
                    "application/json": components["schemas"]["MessageAnswer"];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            404: components["responses"]["Error404"];
            408: components["responses"]["Error408"];
            413: components["responses"]["Error413"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    get_message: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The message's id.
                 * @example 117128467173376
                 */
                message_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 117128467173376,
                     *       "sender_id": 31001,
                     *       "receiver_id": 31002,
                     *       "app_id": null,
                     *       "app_name": null,
                     *       "type": "MESSAGE",
                     *       "content_type": "TEXT",
                     *       "title": "私信",
                     *       "content": "你好",
                     *       "filename": null,
                     *       "action_url": null,
                     *       "action_text": null,
                     *       "is_read": false,
                     *       "created_at": "2026-03-18T10:10:00",
                     *       "created_at_ms": 1773828600000,
                     *       "read_at": null,
                     *       "read_at_ms": null,
                     *       "client_ref": null,
                     *       "state": null,
                     *       "state_text": null,
                     *       "ref": null,
                     *       "version": 1,
                     *       "status": "DELIVERED"
                     *     }
                     */
                    "application/json": components["schemas"]["MessageWithStatus"];
                };
            };
            401: components["responses"]["Error401"];
            404: components["responses"]["Error404"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    recall_message: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The message's id.
                 * @example 117128467173376
                 */
                message_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done, or on its way. */
            202: {
                headers: {
                    /**
                     * @description Of a broadcast: where its progress is.
                     * @example /api/v1/broadcasts/117128467173376
                     */
                    Location?: string;
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Done. */
            204: {
                headers: {
                    /**
                     * @description Of a broadcast: where its progress is.
                     * @example /api/v1/broadcasts/117128467173376
                     */
                    Location?: string;
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            404: components["responses"]["Error404"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    change_message: {
        parameters: {
            query?: never;
            header?: {
                /** @description Two requests with one key and one body are one send, for 24 h. */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The message's id.
                 * @example 117128467173376
                 */
                message_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CardBody"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The first answer again; nothing was sent.
                     * @example true
                     */
                    "Idempotency-Replay"?: string;
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 117128467173376,
                     *       "sender_id": null,
                     *       "receiver_id": 31002,
                     *       "app_id": 1,
                     *       "app_name": "请假",
                     *       "type": "NOTIFICATION",
                     *       "content_type": "TEXT",
                     *       "title": "审批通知",
                     *       "content": "李四申请请假两天",
                     *       "filename": null,
                     *       "action_url": null,
                     *       "action_text": null,
                     *       "is_read": false,
                     *       "created_at": "2026-03-18T10:10:00",
                     *       "created_at_ms": 1773828600000,
                     *       "read_at": null,
                     *       "read_at_ms": null,
                     *       "client_ref": null,
                     *       "state": "DONE",
                     *       "state_text": "已由张三处理",
                     *       "ref": "leave-123",
                     *       "version": 2
                     *     }
                     */
                    "application/json": components["schemas"]["MessageAnswer"];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            404: components["responses"]["Error404"];
            408: components["responses"]["Error408"];
            409: components["responses"]["Error409"];
            413: components["responses"]["Error413"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    get_callback_url: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The message's id.
                 * @example 117128467173376
                 */
                message_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "callback_url": "https://leave.example.com/callback?ticket=4ZpEwQ7vX0yqkUuJt2b1aA&next=https%3A%2F%2Fleave.example.com%2Frequests%2F123"
                     *     }
                     */
                    "application/json": components["schemas"]["CallbackUrl"];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            404: components["responses"]["Error404"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    send_batch: {
        parameters: {
            query?: never;
            header?: {
                /** @description Two requests with one key and one body are one send, for 24 h. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BatchBody"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The first answer again; nothing was sent.
                     * @example true
                     */
                    "Idempotency-Replay"?: string;
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "results": [
                     *         {
                     *           "status": 200,
                     *           "message": {
                     *             "id": 117128467173376,
                     *             "sender_id": null,
                     *             "receiver_id": 31002,
                     *             "app_id": 1,
                     *             "app_name": "请假",
                     *             "type": "NOTIFICATION",
                     *             "content_type": "TEXT",
                     *             "title": "工资条",
                     *             "content": "已发放",
                     *             "filename": null,
                     *             "action_url": null,
                     *             "action_text": null,
                     *             "is_read": false,
                     *             "created_at": "2026-03-18T10:10:00",
                     *             "created_at_ms": 1773828600000,
                     *             "read_at": null,
                     *             "read_at_ms": null,
                     *             "client_ref": null,
                     *             "state": null,
                     *             "state_text": null,
                     *             "ref": null,
                     *             "version": 1
                     *           }
                     *         },
                     *         {
                     *           "index": 1,
                     *           "status": 404,
                     *           "detail": "There is no such receiver.",
                     *           "code": "UNKNOWN_RECEIVER"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["BatchAnswer"];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            408: components["responses"]["Error408"];
            413: components["responses"]["Error413"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    change_by_ref: {
        parameters: {
            query?: never;
            header?: {
                /** @description Two requests with one key and one body are one send, for 24 h. */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The app's own name for the matter, as at send.
                 * @example leave-123
                 */
                ref: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CardBody"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The first answer again; nothing was sent.
                     * @example true
                     */
                    "Idempotency-Replay"?: string;
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "updated_count": 1
                     *     }
                     */
                    "application/json": components["schemas"]["UpdatedCount"];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            404: components["responses"]["Error404"];
            408: components["responses"]["Error408"];
            409: components["responses"]["Error409"];
            413: components["responses"]["Error413"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    list_conversations: {
        parameters: {
            query?: {
                /** @description Where the page begins: it is in the link to the next page, and nowhere else. */
                cursor?: string | null;
                /** @description Conversations on a page, 1 to 200; 200 if only `cursor` is given. */
                limit?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description Where the next page is, if `limit` or `cursor` was given and there is one.
                     * @example <?limit=50&cursor=WzEsWzE3N10>; rel="next"
                     */
                    Link?: string;
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example [
                     *       {
                     *         "user_id": 31001,
                     *         "username": "13900031001",
                     *         "full_name": "李四",
                     *         "unread_count": 1,
                     *         "last_message": "你好",
                     *         "last_message_type": "TEXT",
                     *         "updated_at": "2026-03-18T10:10:00",
                     *         "updated_at_ms": 1773828600000,
                     *         "is_system": false,
                     *         "app_id": null,
                     *         "app_name": null
                     *       }
                     *     ]
                     */
                    "application/json": components["schemas"]["ConversationAnswer"][];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    read_conversation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The conversation: above 0 that person's id, below 0 minus an app's integer id, 0 the system.
                 * @example 31001
                 */
                other_user_id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ReadBody"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "updated_count": 1
                     *     }
                     */
                    "application/json": components["schemas"]["UpdatedCount"];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            404: components["responses"]["Error404"];
            408: components["responses"]["Error408"];
            413: components["responses"]["Error413"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    list_history: {
        parameters: {
            query?: {
                /** @description Only messages with a lower id: the lowest id of the page before. */
                before_id?: number | null;
                /** @description Messages on a page. */
                limit?: number;
                /** @description Messages to skip, up to 100,000. For old clients: it reads what it skips. Page with `before_id`. */
                skip?: number;
            };
            header?: never;
            path: {
                /**
                 * @description The conversation: above 0 that person's id, below 0 minus an app's integer id, 0 the system.
                 * @example 31001
                 */
                other_user_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example [
                     *       {
                     *         "id": 117128467173376,
                     *         "sender_id": 31001,
                     *         "receiver_id": 31002,
                     *         "app_id": null,
                     *         "app_name": null,
                     *         "type": "MESSAGE",
                     *         "content_type": "TEXT",
                     *         "title": "私信",
                     *         "content": "你好",
                     *         "filename": null,
                     *         "action_url": null,
                     *         "action_text": null,
                     *         "is_read": false,
                     *         "created_at": "2026-03-18T10:10:00",
                     *         "created_at_ms": 1773828600000,
                     *         "read_at": null,
                     *         "read_at_ms": null,
                     *         "client_ref": null,
                     *         "state": null,
                     *         "state_text": null,
                     *         "ref": null,
                     *         "version": 1
                     *       }
                     *     ]
                     */
                    "application/json": components["schemas"]["MessageAnswer"][];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            404: components["responses"]["Error404"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    read_all: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description This call is deprecated: read one conversation instead.
                     * @example @1795737600
                     */
                    Deprecation?: string;
                    /**
                     * @description The call in its place.
                     * @example </api/v1/messages/conversations/%7Bother_user_id%7D/read>; rel="successor-version"
                     */
                    Link?: string;
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "updated_count": 3
                     *     }
                     */
                    "application/json": components["schemas"]["UpdatedCount"];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    list_todos: {
        parameters: {
            query?: {
                /** @description Only to-dos with a lower id: the lowest id of the page before. */
                before_id?: number | null;
                /** @description To-dos on a page. */
                limit?: number;
                /** @description Only to-dos of this state. */
                state?: components["schemas"]["CardState"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example [
                     *       {
                     *         "id": 117128467173376,
                     *         "sender_id": null,
                     *         "receiver_id": 31002,
                     *         "app_id": 1,
                     *         "app_name": "请假",
                     *         "type": "NOTIFICATION",
                     *         "content_type": "TEXT",
                     *         "title": "审批通知",
                     *         "content": "李四申请请假两天",
                     *         "filename": null,
                     *         "action_url": null,
                     *         "action_text": null,
                     *         "is_read": false,
                     *         "created_at": "2026-03-18T10:10:00",
                     *         "created_at_ms": 1773828600000,
                     *         "read_at": null,
                     *         "read_at_ms": null,
                     *         "client_ref": null,
                     *         "state": "PENDING",
                     *         "state_text": "待处理",
                     *         "ref": "leave-123",
                     *         "version": 1
                     *       }
                     *     ]
                     */
                    "application/json": components["schemas"]["MessageAnswer"][];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    count_unread: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "total": 3,
                     *       "todo": 1
                     *     }
                     */
                    "application/json": components["schemas"]["Totals"];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    list_launchpad: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "total": 1,
                     *       "items": [
                     *         {
                     *           "app_name": "请假",
                     *           "app_id": "leave",
                     *           "protocol_type": "SIMPLE_API",
                     *           "mapped_key": "zhangsan",
                     *           "mapped_email": "zhangsan@example.com",
                     *           "is_active": true,
                     *           "description": "请假与销假",
                     *           "category_id": null,
                     *           "category_name": null
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["AppsAnswer"];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    sign_on: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginBody"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "redirect_url": "https://leave.example.com/callback?ticket=4ZpEwQ7vX0yqkUuJt2b1aA"
                     *     }
                     */
                    "application/json": components["schemas"]["RedirectUrl"];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            404: components["responses"]["Error404"];
            408: components["responses"]["Error408"];
            413: components["responses"]["Error413"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    jump: {
        parameters: {
            query: {
                /**
                 * @description The app's string id.
                 * @example leave
                 */
                app_id: string;
                /**
                 * @description Where to go after signing on: an absolute http(s) URL on a host that the app has registered.
                 * @example https://leave.example.com/requests/123
                 */
                redirect_to: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            302: {
                headers: {
                    /** @description The app's callback with a ticket, going on to the target. */
                    Location?: string;
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            404: components["responses"]["Error404"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    verify_ticket: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VerifyBody"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "user_id": 31002,
                     *       "app_user_id": "zhangsan",
                     *       "mapped_email": "zhangsan@example.com",
                     *       "name": "张三"
                     *     }
                     */
                    "application/json": components["schemas"]["SignedOn"];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            404: components["responses"]["Error404"];
            408: components["responses"]["Error408"];
            413: components["responses"]["Error413"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    list_people: {
        parameters: {
            query?: {
                /** @description A part of a name, a mobile number or an English name. Empty: everyone. */
                keyword?: string;
                /** @description People on a page. */
                limit?: number;
                /** @description People to skip, up to 1,000,000; with a keyword 100,000. */
                skip?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "total": 1,
                     *       "items": [
                     *         {
                     *           "id": 31002,
                     *           "mobile": "13900031002",
                     *           "name": "张三",
                     *           "english_name": "zhangsan",
                     *           "status": "ACTIVE",
                     *           "role": "ORDINARY_USER",
                     *           "is_deleted": 0
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["PeopleAnswer"];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    search_people: {
        parameters: {
            query?: {
                /** @description People at most. */
                limit?: number;
                /** @description A part of a name, a mobile number or an English name; one Chinese character is enough. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example [
                     *       {
                     *         "id": 31002,
                     *         "mobile": "13900031002",
                     *         "name": "张三",
                     *         "english_name": "zhangsan",
                     *         "status": "ACTIVE"
                     *       }
                     *     ]
                     */
                    "application/json": components["schemas"]["PersonAnswer"][];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            422: components["responses"]["Error422"];
            429: components["responses"]["Error429"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    issue_ticket: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "ticket": "Jt2b1aA4ZpEwQ7vX0yqkUu",
                     *       "expires_in": 30
                     *     }
                     */
                    "application/json": components["schemas"]["SocketTicket"];
                };
            };
            401: components["responses"]["Error401"];
            403: components["responses"]["Error403"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    show_asyncapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    show_docs: {
        parameters: {
            query?: {
                /** @description `en` or `zh`; otherwise as the browser prefers. */
                lang?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/html; charset=utf-8": string;
                };
            };
            422: components["responses"]["Error422"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    show_socket_docs: {
        parameters: {
            query?: {
                /** @description `en` or `zh`; otherwise as the browser prefers. */
                lang?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/html; charset=utf-8": string;
                };
            };
            422: components["responses"]["Error422"];
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    tell_alive: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok"
                     *     }
                     */
                    "application/json": components["schemas"]["Alive"];
                };
            };
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    show_metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/plain; version=1.0.0; charset=utf-8": string;
                };
            };
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    show_openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
    tell_ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /**
                     * @description The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.
                     * @example 3f0c1d2e9a7b4c58
                     */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "database": "ok",
                     *       "broker": "ok",
                     *       "bus": "ok"
                     *     }
                     */
                    "application/json": components["schemas"]["Ready"];
                };
            };
            500: components["responses"]["Error500"];
            503: components["responses"]["Error503"];
        };
    };
}
