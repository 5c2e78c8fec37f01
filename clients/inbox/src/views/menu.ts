/** `<carillon-inbox-menu>`: what can be done with one message. */
import type { Message } from "@carillon/client";
import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { base } from "../styles/base";
import type { Words } from "../words";
import { icons } from "./icons";
import { moveByKey } from "./roving";

@customElement("carillon-inbox-menu")
export class CarillonInboxMenu extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        display: contents;
      }
      .menu {
        position: fixed;
        inset: auto;
        margin: 0;
        border: 0;
        padding: 0.35rem;
        min-inline-size: 11rem;
        border-radius: 14px;
        background: var(--_ground);
        color: var(--_text);
        box-shadow: var(--_shadow-high);
      }
      button {
        display: flex;
        align-items: center;
        gap: 0.7rem;
        inline-size: 100%;
        padding: 0.5rem 0.75rem;
        border-radius: 10px;
        outline-offset: -2px;
      }
      button:hover {
        background: var(--_hover);
      }
      button.grave {
        color: var(--_bad);
      }
      .icon {
        inline-size: 1.2rem;
        block-size: 1.2rem;
      }
    `,
  ];

  @property({ attribute: false }) words!: Words;
  @query(".menu") private menu!: HTMLElement;
  @state() private message: Message | null = null;
  #button: HTMLElement | null = null;

  /** Open it at the button; the focus comes back there. */
  async show(message: Message, button: HTMLElement): Promise<void> {
    this.message = message;
    this.#button = button;
    await this.updateComplete;
    this.menu.showPopover();
    button.setAttribute("aria-expanded", "true");
    this.#place(button.getBoundingClientRect());
    this.menu.querySelector("button")?.focus();
  }

  /** Below the button, or above it where there is no room, and never beyond the window. */
  #place(at: DOMRect): void {
    const { offsetWidth: width, offsetHeight: height, style } = this.menu;
    const below = at.bottom + 4 + height < window.innerHeight;
    const start = Math.min(Math.max(8, at.left + at.width / 2 - width / 2), window.innerWidth - width - 8);
    style.left = `${start}px`;
    style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - 4 - height)}px`;
  }

  #toggled = (event: ToggleEvent): void => {
    if (event.newState === "closed") this.#button?.removeAttribute("aria-expanded");
  };

  #press = (event: KeyboardEvent): void => {
    // Escape closes the menu and nothing behind it.
    if (event.key === "Escape") event.stopPropagation();
    else moveByKey(event);
  };

  #close(): void {
    this.menu.hidePopover();
    this.#button?.focus();
  }

  async #copy(text: string): Promise<void> {
    this.#close();
    const isCopied = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    this.dispatchEvent(new CustomEvent("copied", { detail: isCopied }));
  }

  #recall(message: Message): void {
    this.#close();
    this.dispatchEvent(new CustomEvent("recall", { detail: message }));
  }

  protected override render(): TemplateResult {
    const { words, message } = this;
    const canCopy = message !== null && !["IMAGE", "VIDEO", "FILE"].includes(message.content_type);
    return html`<div class="menu" popover="auto" role="menu" aria-label=${words.messageActions} @toggle=${this.#toggled} @keydown=${this.#press}>
      ${message && canCopy
        ? html`<button role="menuitem" data-id="copy" @click=${() => void this.#copy(message.content)}>${icons.copy}${words.copy}</button>`
        : nothing}
      ${message?.is_mine
        ? html`<button class="grave" role="menuitem" data-id="recall" @click=${() => this.#recall(message)}>${icons.recall}${words.recall}</button>`
        : nothing}
    </div>`;
  }
}

/** Whether the menu would have anything in it. */
export function hasActions(message: Message): boolean {
  return message.delivery === "sent" && (message.is_mine || !["IMAGE", "VIDEO", "FILE"].includes(message.content_type));
}

declare global {
  interface HTMLElementTagNameMap {
    "carillon-inbox-menu": CarillonInboxMenu;
  }
}
