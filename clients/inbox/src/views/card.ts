/** A notice: its app, title, items and button. */
import type { Message } from "@carillon/client";
import { html, nothing, type TemplateResult } from "lit";
import { readCard, splitLinks, type CardItem, type CardValue } from "../format/content";
import { fill, type Words } from "../words";
import { icons } from "./icons";
import { avatar } from "./parts";

export interface CardContext {
  words: Words;
  /** The time, ready to show. */
  time: TemplateResult;
  onAction(message: Message): void;
}

export function card(message: Message, { words, time, onAction }: CardContext): TemplateResult {
  const name = message.app_name ?? words.system;
  return html`<header>
      ${avatar(message.app_id === null ? 0 : -message.app_id, name, "tiny")}
      <span class="from">${name}</span>
      ${time}
    </header>
    <h3 dir="auto">${message.title}</h3>
    ${message.state ? matter(message.state, message.state_text, words) : nothing}
    ${body(message.content, words)}
    ${message.action_url
      ? html`<footer>
          <button class="button act ${message.state && message.state !== "PENDING" ? "quiet" : ""}" @click=${() => onAction(message)}>
            ${message.action_text || words.openButton}${icons.open}
          </button>
        </footer>`
      : nothing}`;
}

/** How far the matter is: by a word and an icon, and only then by a colour; beside it what the app says of it. */
function matter(state: NonNullable<Message["state"]>, said: string | null, words: Words): TemplateResult {
  const [icon, word] = {
    PENDING: [icons.pending, words.cardPending] as const,
    DONE: [icons.done, words.cardDone] as const,
    REJECTED: [icons.close, words.cardRejected] as const,
    CLOSED: [icons.closed, words.cardClosed] as const,
  }[state];
  return html`<p class="matter">
    <span class="matter-state ${state.toLowerCase()}">${icon}${word}</span>${said ? html`<span dir="auto">${said}</span>` : nothing}
  </p>`;
}

/** Whether a message is shown as a card: what is announced is, what a person says is not. */
export function isCard(message: Message): boolean {
  return message.type === "NOTIFICATION" || message.content_type === "USER_NOTIFICATION" || message.action_url !== null;
}

function body(content: string, words: Words): TemplateResult {
  const items = readCard(content);
  return items ? list(items, words) : html`<p class="prose" dir="auto">${text(content)}</p>`;
}

function list(items: readonly CardItem[], words: Words): TemplateResult {
  return html`<dl>
    ${items.map(
      (item) => html`<div class=${item.value.kind === "items" ? "deep" : ""}>
        <dt dir="auto">${item.label}</dt>
        <dd dir="auto">${show(item.value, words)}</dd>
      </div>`,
    )}
  </dl>`;
}

function show(value: CardValue, words: Words): unknown {
  switch (value.kind) {
    case "text":
      return text(value.text);
    case "flag":
      return value.is ? words.yes : words.no;
    case "items":
      return list(value.items, words);
    case "list":
      return html`<ul>
        ${value.values.map((one) => html`<li>${show(one, words)}</li>`)}
      </ul>`;
  }
}

/** Text with its web addresses as links. No space is added: line breaks in it are kept. */
export function text(content: string): unknown {
  return splitLinks(content).map((part) =>
    part.href === null ? part.text : html`<a href=${part.href} target="_blank" rel="noopener noreferrer">${part.text}</a>`,
  );
}

export function labelOf(name: string, time: string, isMine: boolean, words: Words): string {
  return isMine ? fill(words.youAt, { time }) : fill(words.nameAt, { name, time });
}
