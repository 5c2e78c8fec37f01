/** Generated from the API's own documents by `npm run generate`. Do not edit by hand. */

/**
 * What comes over the socket, told apart by its `type`.
 */
export type Frame =
  | HelloFrame
  | PositionFrame
  | NewMessageFrame
  | MessageUpdatedFrame
  | ConversationReadFrame
  | AllReadFrame
  | MessageRecalledFrame
  | ResyncFrame;

/**
 * `MESSAGE` or `NOTIFICATION`.
 */
export type MessageType = "MESSAGE" | "NOTIFICATION";

/**
 * What `content` is.
 */
export type ContentType = "TEXT" | "IMAGE" | "VIDEO" | "FILE" | "USER_NOTIFICATION";

/**
 * How far the matter of a card is (contract §8). A message with a state is a to-do of its receivers.
 */
export type CardState = "PENDING" | "DONE" | "REJECTED" | "CLOSED";

/**
 * The first frame of every connection, before anything is replayed.
 */
export interface HelloFrame {
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
export interface ServerTime {
  /**
   * The server's time, as Unix milliseconds: a client can tell by how much its own clock is off.
   */
  server_time_ms: number;
}

/**
 * Nothing was pushed for a while: where to go on all the same. It comes with the server's pings.
 */
export interface PositionFrame {
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
export interface NewMessageFrame {
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
export interface PushedMessage {
  /**
   * Its id: the same as in histories. Show one id once, wherever it comes from.
   */
  id: number;
  /**
   * The person who sent it, or on whose behalf it was sent; null for an app's own and for notifications.
   */
  sender_id: number | null;
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
  filename: string | null;
  /**
   * Where its button leads; null without one.
   */
  action_url: string | null;
  /**
   * What its button says; null without one.
   */
  action_text: string | null;
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
  app_id: number | null;
  /**
   * The app's name; null from person to person.
   */
  app_name: string | null;
  /**
   * The person who gets it; null for a broadcast.
   */
  receiver_id: number | null;
  /**
   * The `user_id` of its conversation in the receiver's list.
   */
  conversation_id: number;
  /**
   * What the sender's client called its send; only on the sender's own devices, null for everybody else.
   */
  client_ref: string | null;
  /**
   * How far the matter of a card is; null for what is no to-do.
   */
  state: CardState | null;
  /**
   * The state in the app's own words, such as who decided; null without one.
   */
  state_text: string | null;
  /**
   * The app's own name for the matter; null without one.
   */
  ref: string | null;
  /**
   * 1 at first, one more with each change. Of two forms of a message show the one with the higher version.
   */
  version: number;
}

/**
 * The app changed a card that the person has: show its new form. Its place, counters and read state do not change.
 */
export interface MessageUpdatedFrame {
  /**
   * `MESSAGE_UPDATED`.
   */
  type: "MESSAGE_UPDATED";
  /**
   * Where to go on after this frame.
   */
  pos: string;
  data: PushedMessage1;
}

/**
 * The whole message, in its new form.
 */
export interface PushedMessage1 {
  /**
   * Its id: the same as in histories. Show one id once, wherever it comes from.
   */
  id: number;
  /**
   * The person who sent it, or on whose behalf it was sent; null for an app's own and for notifications.
   */
  sender_id: number | null;
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
  filename: string | null;
  /**
   * Where its button leads; null without one.
   */
  action_url: string | null;
  /**
   * What its button says; null without one.
   */
  action_text: string | null;
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
  app_id: number | null;
  /**
   * The app's name; null from person to person.
   */
  app_name: string | null;
  /**
   * The person who gets it; null for a broadcast.
   */
  receiver_id: number | null;
  /**
   * The `user_id` of its conversation in the receiver's list.
   */
  conversation_id: number;
  /**
   * What the sender's client called its send; only on the sender's own devices, null for everybody else.
   */
  client_ref: string | null;
  /**
   * How far the matter of a card is; null for what is no to-do.
   */
  state: CardState | null;
  /**
   * The state in the app's own words, such as who decided; null without one.
   */
  state_text: string | null;
  /**
   * The app's own name for the matter; null without one.
   */
  ref: string | null;
  /**
   * 1 at first, one more with each change. Of two forms of a message show the one with the higher version.
   */
  version: number;
}

/**
 * The person read a conversation, here or on another device.
 */
export interface ConversationReadFrame {
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
export interface ReadConversation {
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
export interface AllReadFrame {
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
export interface ReadEverything {
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
export interface MessageRecalledFrame {
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
export interface RecalledMessage {
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
export interface ResyncFrame {
  /**
   * `RESYNC`.
   */
  type: "RESYNC";
  /**
   * Where to go on after this frame.
   */
  pos: string;
}
