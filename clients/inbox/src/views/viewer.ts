/** `<carillon-inbox-viewer>`: a picture as large as the window. */
import type { Message } from "@carillon/client";
import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type { Session } from "../session";
import { base } from "../styles/base";
import { windowStyles } from "../styles/chat";
import type { Words } from "../words";
import { icons } from "./icons";

@customElement("carillon-inbox-viewer")
export class CarillonInboxViewer extends LitElement {
  static override styles = [
    base,
    windowStyles,
    css`
      dialog {
        inline-size: 100vw;
        block-size: 100dvh;
        max-inline-size: none;
        max-block-size: none;
        border-radius: 0;
        background: #0b0e14f2;
        color: #fff;
      }
      .stage {
        position: absolute;
        inset: 0;
        display: grid;
        place-items: center;
        padding: 3.75rem 1rem 1rem;
      }
      img {
        max-inline-size: 100%;
        max-block-size: calc(100dvh - 5rem);
        border-radius: 6px;
      }
      header {
        position: absolute;
        inset: 0 0 auto;
        z-index: 1;
        display: flex;
        align-items: center;
        gap: 0.5rem;
        padding: 0.5rem 0.75rem;
      }
      .title {
        flex: 1;
        min-inline-size: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .round {
        color: #fff;
      }
      .round:hover {
        background: #ffffff26;
        color: #fff;
      }
      :focus-visible {
        outline-color: #fff;
      }
    `,
  ];

  @property({ attribute: false }) words!: Words;
  @property({ attribute: false }) session!: Session;
  @query("dialog") private dialog!: HTMLDialogElement;
  @state() private message: Message | null = null;
  @state() private address = "";

  /** Show a message's picture, with a fresh address if its own has ended. */
  async show(message: Message): Promise<void> {
    const { session } = this;
    this.message = message;
    this.address = session.addressOf(message);
    await this.updateComplete;
    this.dialog.showModal();
    this.dialog.querySelector("button")?.focus();
    // If this fails the old address is tried, and the bubble says what is wrong.
    if (session.isOld(message)) this.address = await session.refresh(message).catch(() => this.address);
  }

  #closeOutside = (event: Event): void => {
    if (!(event.target instanceof HTMLImageElement)) this.dialog.close();
  };

  protected override render(): TemplateResult {
    const { words, message } = this;
    const name = message?.filename ?? words.picture;
    return html`<dialog aria-label=${name} @close=${() => (this.message = null)} @keydown=${(event: Event) => event.stopPropagation()}>
      ${message
        ? html`<header>
              <span class="title" dir="auto">${name}</span>
              <a class="round" href=${this.address} target="_blank" rel="noopener noreferrer" aria-label=${words.download} title=${words.download}>${icons.open}</a>
              <button class="round" aria-label=${words.close} title=${words.close} @click=${() => this.dialog.close()}>${icons.close}</button>
            </header>
            <div class="stage" @click=${this.#closeOutside}><img src=${this.address} alt=${name} /></div>`
        : nothing}
    </dialog>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "carillon-inbox-viewer": CarillonInboxViewer;
  }
}
