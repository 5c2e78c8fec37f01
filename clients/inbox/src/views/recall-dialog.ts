/** `<carillon-inbox-recall>`: asks before a message is taken back, for it cannot be undone. */
import { css, html, LitElement, type TemplateResult } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { base } from "../styles/base";
import { windowStyles } from "../styles/chat";
import type { Words } from "../words";

@customElement("carillon-inbox-recall")
export class CarillonInboxRecall extends LitElement {
  static override styles = [
    base,
    windowStyles,
    css`
      dialog {
        max-inline-size: min(24rem, calc(100vw - 2rem));
      }
      form {
        display: grid;
        gap: 0.4rem;
        padding: 1.4rem 1.5rem 1.2rem;
      }
      h2 {
        font-size: 1.1rem;
        font-weight: 650;
      }
      p {
        color: var(--_dim);
      }
      div {
        display: flex;
        justify-content: flex-end;
        gap: 0.6rem;
        margin-block-start: 0.9rem;
      }
    `,
  ];

  @property({ attribute: false }) words!: Words;
  @query("dialog") private dialog!: HTMLDialogElement;
  #answer: ((isYes: boolean) => void) | null = null;

  /** Ask; true if the person says yes. */
  ask(): Promise<boolean> {
    this.dialog.returnValue = "";
    this.dialog.showModal();
    return new Promise((resolve) => (this.#answer = resolve));
  }

  #closed = (): void => {
    this.#answer?.(this.dialog.returnValue === "yes");
    this.#answer = null;
  };

  protected override render(): TemplateResult {
    const { words } = this;
    return html`<dialog aria-labelledby="title" aria-describedby="text" @close=${this.#closed} @keydown=${(event: Event) => event.stopPropagation()}>
      <form method="dialog">
        <h2 id="title">${words.recallTitle}</h2>
        <p id="text">${words.recallText}</p>
        <div>
          <button class="button" value="no">${words.cancel}</button>
          <button class="button grave" value="yes">${words.recall}</button>
        </div>
      </form>
    </dialog>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "carillon-inbox-recall": CarillonInboxRecall;
  }
}
