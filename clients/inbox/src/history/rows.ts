/** A history as rows: where a day begins, where the unread ones begin, and which bubbles belong together. Pure. */
import type { Message } from "@carillon/client";
import type { Upload } from "../uploads";
import { startOfDay } from "../format/time";

/** Two messages of one person this close together are one group. */
const GROUP_MS = 5 * 60_000;

export interface Row {
  /** The same for one message all the time, from before the server has it. */
  key: string;
  message: Message | null;
  /** A file that is being uploaded; it is no message yet. */
  upload: Upload | null;
  at: number;
  isMine: boolean;
  /** A day begins here. */
  beginsDay: boolean;
  /** What is new begins here. */
  beginsUnread: boolean;
  isFirstOfGroup: boolean;
  isLastOfGroup: boolean;
}

export function keyOf(message: Message): string {
  return message.client_ref === null ? String(message.id) : `ref:${message.client_ref}`;
}

export interface RowParts {
  messages: readonly Message[];
  uploads: readonly Upload[];
  /** The id of the first new message. */
  unreadFrom: number | null;
  /** The rows as they were: one that is the same is the same object, so that it is not drawn again. */
  before: readonly Row[];
}

/** The rows, oldest first, what is being uploaded at the end. */
export function makeRows({ messages, uploads, unreadFrom, before }: RowParts): Row[] {
  const known = new Map(before.map((row) => [row.key, row]));
  return markRows(messages, uploads, unreadFrom).map((row) => {
    const old = known.get(row.key);
    return old && isSame(old, row) ? old : row;
  });
}

function isSame(one: Row, other: Row): boolean {
  return (Object.keys(one) as (keyof Row)[]).every((field) => one[field] === other[field]);
}

function markRows(messages: readonly Message[], uploads: readonly Upload[], unreadFrom: number | null): Row[] {
  const rows = [...messages.map(rowOfMessage), ...uploads.map(rowOfUpload)];
  let day = NaN;
  rows.forEach((row, index) => {
    const before = rows[index - 1];
    const today = startOfDay(row.at);
    row.beginsDay = today !== day;
    day = today;
    row.beginsUnread = row.message !== null && row.message.id === unreadFrom;
    row.isFirstOfGroup = before === undefined || row.beginsDay || row.beginsUnread || !belongTogether(before, row);
    if (before) before.isLastOfGroup = row.isFirstOfGroup;
  });
  return rows;
}

function belongTogether(before: Row, row: Row): boolean {
  return before.isMine === row.isMine && row.at - before.at < GROUP_MS && !isCard(before) && !isCard(row);
}

/** A notice is a card of its own and never part of a group. */
function isCard(row: Row): boolean {
  return row.message !== null && (row.message.type === "NOTIFICATION" || row.message.content_type === "USER_NOTIFICATION");
}

function rowOfMessage(message: Message): Row {
  return { ...EMPTY, key: keyOf(message), message, at: message.created_at_ms, isMine: message.is_mine };
}

function rowOfUpload(upload: Upload): Row {
  return { ...EMPTY, key: `upload:${upload.ref}`, upload, at: upload.at, isMine: true };
}

const EMPTY = {
  message: null,
  upload: null,
  beginsDay: false,
  beginsUnread: false,
  isFirstOfGroup: true,
  isLastOfGroup: true,
};

/** The first message of another's that is unread; null if there is none. */
export function findUnread(messages: readonly Message[]): Message | null {
  return messages.find((one) => !one.is_mine && !one.is_read) ?? null;
}
