/** A picture in a bubble: it keeps its room while it loads, and asks for another address when its own has ended. */
import type { Message } from "@carillon/client";
import { html, nothing, type TemplateResult } from "lit";
import type { PictureState } from "../session";
import { fill } from "../words";
import { icons } from "./icons";
import type { RowContext } from "./message";

/** The longest side in a bubble, in pixels. */
const LARGEST = 320;

export function picture(message: Message, context: RowContext): TemplateResult {
  const { session, words } = context;
  const local = session.uploads.find(message.content);
  const state = session.pictureOf(message);
  const name = message.filename ?? local?.file.name ?? "";
  if (state.isGone) return gone(message, context);
  const address = local?.preview ?? (message.id === 0 ? "" : session.addressOf(message));
  const [width, height] = fit(state.size);
  return html`<button class="frame ${state.size ? "" : "bone"}" aria-label=${fill(words.openPicture, { name })} ?disabled=${message.id === 0} @click=${() => context.onOpenPicture(message)}>
    <img src=${address} alt=${name || words.picture} width=${width} height=${height} decoding="async"
      @load=${(event: Event) => session.notePicture(message, event.target as HTMLImageElement)} @error=${() => session.renewPicture(message)} />
  </button>`;
}

/** The room of a picture in a bubble, in pixels: its own, made smaller to fit. */
function fit(size: PictureState["size"]): [number | typeof nothing, number | typeof nothing] {
  if (size === null) return [nothing, nothing];
  const [width, height] = size;
  const scale = Math.min(1, LARGEST / width, LARGEST / height);
  return [Math.round(width * scale), Math.round(height * scale)];
}

/** One that is not shown can still be opened: a strict policy shows none of other places, such as older data has. */
function gone(message: Message, { session, words }: RowContext): TemplateResult {
  const address = session.addressOf(message);
  return html`<div class="frame gone">
    ${icons.picture}<span>${words.pictureGone}</span>
    <span class="choices">
      <button @click=${() => session.renewPicture(message, true)}>${words.retry}</button>
      ${address ? html`<a href=${address} target="_blank" rel="noopener noreferrer">${words.download}</a>` : nothing}
    </span>
  </div>`;
}
