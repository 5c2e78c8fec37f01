/** One row of a history: the day, the line above what is new, and the bubble. */
import type { Message } from "@carillon/client";
import { html, nothing, type TemplateResult } from "lit";
import { isEmojiOnly } from "../format/content";
import { explain } from "../format/errors";
import { extensionOf, formatSize } from "../format/files";
import type { TimeFormat } from "../format/time";
import type { Row } from "../history/rows";
import type { Session } from "../session";
import type { Upload } from "../uploads";
import { fill, type Words } from "../words";
import { card, isCard, labelOf, text } from "./card";
import { icons } from "./icons";
import { hasActions } from "./menu";
import { picture } from "./picture";

export interface RowContext {
  session: Session;
  words: Words;
  time: TimeFormat;
  /** Whose messages those are that are not mine. */
  name: string;
  /** Messages that came while the history was on the screen: they fade in. */
  fresh: ReadonlySet<string>;
  touched: string;
  onMenu(message: Message, button: HTMLElement): void;
  onAction(message: Message): void;
  onOpenFile(message: Message): void;
  onOpenPicture(message: Message): void;
  onError(sentence: string, error: unknown): void;
}

export function row(row: Row, context: RowContext): TemplateResult {
  const { words, time } = context;
  const { message } = row;
  const unread = message && !message.is_mine && !message.is_read && message.id !== 0 ? message.id : null;
  return html`<div
    class="row ${row.isMine ? "mine" : "theirs"} ${row.isFirstOfGroup ? "first" : ""} ${row.isLastOfGroup ? "last" : ""} ${context.fresh.has(row.key) ? "fresh" : ""} ${context.touched === row.key ? "touched" : ""}"
    data-key=${row.key}
    data-unread=${unread ?? nothing}
  >
    ${row.beginsDay ? html`<div class="day"><span>${time.day(row.at)}</span></div>` : nothing}
    ${row.beginsUnread ? html`<div class="new" role="separator"><span>${words.newMessages}</span></div>` : nothing}
    ${message ? line(message, context) : row.upload ? uploadLine(row.upload, context) : nothing}
  </div>`;
}

function line(message: Message, context: RowContext): TemplateResult {
  const { words, time } = context;
  const label = labelOf(context.name, time.time(message.created_at_ms), message.is_mine, words);
  const kind = kindOf(message);
  return html`<div class="line ${kind === "card" ? "wide" : ""}">
      <div class="bubble ${kind}" role="article" aria-label=${label}>${inside(message, kind, context)}</div>
      ${hasActions(message) ? menuButton(message, context) : nothing}
    </div>
    ${message.delivery === "failed" ? failed(message, context) : nothing}`;
}

type Kind = "card" | "text" | "emoji" | "picture" | "video" | "file";

function kindOf(message: Message): Kind {
  if (message.content_type === "IMAGE") return "picture";
  if (message.content_type === "VIDEO") return "video";
  if (message.content_type === "FILE") return "file";
  if (isCard(message)) return "card";
  return isEmojiOnly(message.content) ? "emoji" : "text";
}

function inside(message: Message, kind: Kind, context: RowContext): TemplateResult {
  const meta = metaOf(message, context);
  const { session } = context;
  switch (kind) {
    case "card":
      return card(message, { words: context.words, time: meta, onAction: context.onAction });
    case "picture":
      return html`${picture(message, context)}${meta}`;
    case "video":
      return html`<video controls preload="metadata" src=${session.uploads.find(message.content)?.preview ?? session.addressOf(message)} aria-label=${fileName(message, context)}></video>${meta}`;
    case "file":
      return html`${file(message, context)}${meta}`;
    default:
      return html`<p class="said" dir="auto">${text(message.content)}${meta}</p>`;
  }
}

/** The time, and of my own message how far it has come. */
function metaOf(message: Message, { words, time }: RowContext): TemplateResult {
  return html`<span class="meta"
    ><time datetime=${new Date(message.created_at_ms).toISOString()} title=${time.full(message.created_at_ms)}>${time.time(message.created_at_ms)}</time
    >${message.is_mine ? tick(message, words, time) : nothing}</span
  >`;
}

function tick(message: Message, words: Words, time: TimeFormat): TemplateResult | typeof nothing {
  if (message.delivery === "failed") return nothing;
  const [icon, kind, label] =
    message.delivery === "sending"
      ? [icons.clock, "", words.sending]
      : message.is_read
        ? [icons.read, "is-read", message.read_at_ms === null ? words.read : fill(words.readAt, { time: time.full(message.read_at_ms) })]
        : [icons.sent, "", words.sent];
  return html`<span class="state ${kind}" role="img" aria-label=${label} title=${label}>${icon}</span>`;
}

function menuButton(message: Message, { words, onMenu }: RowContext): TemplateResult {
  const press = (event: Event): void => onMenu(message, event.currentTarget as HTMLElement);
  return html`<button class="more" aria-label=${words.messageActions} aria-haspopup="menu" @click=${press}>${icons.more}</button>`;
}

function failed(message: Message, { words, session, onError }: RowContext): TemplateResult {
  const ref = message.client_ref ?? "";
  const retry = (): void => void session.client.store.retry(ref).catch((error: unknown) => onError(words.notSent, error));
  return html`<div class="unsent" role="alert">
    <span>${icons.warning}<b>${words.notSent}.</b> ${message.error ? explain(message.error, words) : ""}</span>
    <span class="choices">
      <button @click=${retry}>${words.retry}</button>
      <button @click=${() => session.client.store.discard(ref)}>${words.discard}</button>
    </span>
  </div>`;
}

function fileName(message: Message, { session, words }: RowContext): string {
  return message.filename ?? session.uploads.find(message.content)?.file.name ?? words.file;
}

function file(message: Message, context: RowContext): TemplateResult {
  const name = fileName(message, context);
  const local = context.session.uploads.find(message.content);
  return html`<button class="file" ?disabled=${message.id === 0} @click=${() => context.onOpenFile(message)}>
    <span class="sheet" aria-hidden="true">${extensionOf(name) || icons.attach}</span>
    <span class="unseen">${context.words.openFile}</span>
    <span class="names"><b dir="auto">${name}</b>${local ? html`<span>${formatSize(local.file.size)}</span>` : html`<span>${context.words.file}</span>`}</span>
  </button>`;
}

/** A file on its way: how far it is, and a button that stops it. */
function uploadLine(upload: Upload, { words, session }: RowContext): TemplateResult {
  const { file, ref } = upload;
  const percent = Math.round(upload.progress * 100);
  const name = file.name;
  return html`<div class="line">
      <div class="bubble ${upload.preview ? "picture" : "file"} uploading" role="article" aria-label=${fill(words.uploading, { name })}>
        ${upload.preview
          ? html`<span class="frame">${file.type.startsWith("video/") ? html`<video src=${upload.preview} muted preload="metadata"></video>` : html`<img src=${upload.preview} alt=${name} />`}</span>`
          : html`<span class="file"><span class="sheet" aria-hidden="true">${extensionOf(name) || icons.attach}</span><span class="names"><b dir="auto">${name}</b><span>${formatSize(file.size)}</span></span></span>`}
        <span class="progress">
          <svg viewBox="0 0 40 40" role="progressbar" aria-valuenow=${percent} aria-valuemin="0" aria-valuemax="100" aria-label=${fill(words.uploadProgress, { name, percent })}>
            <circle cx="20" cy="20" r="17" class="way" />
            <circle cx="20" cy="20" r="17" class="done" pathLength="100" stroke-dasharray="100" stroke-dashoffset=${100 - percent} transform="rotate(-90 20 20)" />
          </svg>
          <button aria-label=${fill(words.cancelUpload, { name })} @click=${() => session.uploads.discard(ref)}>${icons.close}</button>
        </span>
      </div>
    </div>
    ${upload.error
      ? html`<div class="unsent" role="alert">
          <span>${icons.warning}<b>${fill(words.uploadFailed, { name })}</b> ${explain(upload.error, words)}</span>
          <span class="choices">
            <button @click=${() => session.uploads.retry(ref)}>${words.retry}</button>
            <button @click=${() => session.uploads.discard(ref)}>${words.discard}</button>
          </span>
        </div>`
      : nothing}`;
}
