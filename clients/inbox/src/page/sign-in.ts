/** `<carillon-sign-in>`: who comes in. Only for the page of /inbox; in a portal the portal knows. */
import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { base } from "../styles/base";
import { tokens } from "../styles/tokens";
import { avatar } from "../views/parts";
import type { Words } from "../words";
import type { Config, Credentials } from "./credentials";

@customElement("carillon-sign-in")
export class CarillonSignIn extends LitElement {
  static override styles = [
    tokens,
    base,
    css`
      :host {
        display: grid;
        place-items: center;
        min-block-size: 100%;
        max-block-size: 100%;
        overflow: auto;
        background: var(--_canvas);
        padding: 1.5rem;
      }
      .form {
        display: grid;
        gap: 1.1rem;
        inline-size: min(26rem, 100%);
        background: var(--_ground);
        border-radius: 26px;
        box-shadow: var(--_shadow-high);
        padding: 2rem 1.75rem 1.6rem;
      }
      img {
        inline-size: 3.5rem;
        block-size: 3.5rem;
      }
      h1 {
        font-size: 1.45rem;
        font-weight: 700;
        letter-spacing: -0.01em;
      }
      p {
        color: var(--_dim);
        font-size: 0.875rem;
      }
      [role="alert"]:empty {
        display: none;
      }
      .problem {
        color: var(--_bad);
        background: var(--_bad-ground);
        border-radius: 12px;
        padding: 0.6rem 0.9rem;
      }
      ul {
        display: grid;
        gap: 0.3rem;
        margin-inline: -0.5rem;
      }
      .who {
        display: flex;
        align-items: center;
        gap: 0.85rem;
        inline-size: 100%;
        padding: 0.5rem;
        border-radius: 16px;
        font-weight: 600;
        font-size: 1.02rem;
        overflow-wrap: anywhere;
      }
      .who:hover {
        background: var(--_hover);
      }
      form {
        display: grid;
        gap: 0.7rem;
      }
      label {
        display: grid;
        gap: 0.3rem;
        font-weight: 600;
        font-size: 0.875rem;
      }
      textarea {
        font: 0.84rem/1.4 ui-monospace, monospace;
        resize: vertical;
        min-block-size: 5.5rem;
        border: 1px solid var(--_dim);
        border-radius: 12px;
        background: var(--_side);
        padding: 0.6rem 0.75rem;
        overflow-wrap: anywhere;
      }
      details summary {
        cursor: pointer;
        color: var(--_accent);
        font-weight: 600;
        font-size: 0.875rem;
        padding-block: 0.3rem;
      }
      details[open] summary {
        margin-block-end: 0.6rem;
      }
    `,
  ];

  @property({ attribute: false }) words!: Words;
  @property({ reflect: true }) theme = "auto";
  @property({ attribute: false }) config: Config | null = null;
  @property() problem = "";
  @query("textarea") private field!: HTMLTextAreaElement;
  @state() private isEmpty = true;

  #come(credentials: Credentials): void {
    this.dispatchEvent(new CustomEvent("come", { detail: credentials }));
  }

  #submit = (event: Event): void => {
    event.preventDefault();
    const token = this.field.value.trim().replace(/^Bearer\s+/i, "");
    if (token) this.#come({ token });
  };

  protected override render(): TemplateResult {
    const { words } = this;
    const people = this.config?.demo_people ?? null;
    return html`<div class="form">
      <img src="./icon.svg" alt="" />
      <h1>${people ? words.signInDemo : words.signIn}</h1>
      <div role="alert">${this.problem ? html`<p class="problem">${this.problem}</p>` : nothing}</div>
      ${people ? this.#renderPeople(people) : this.#renderToken()}
    </div>`;
  }

  #renderPeople(people: NonNullable<Config["demo_people"]>): TemplateResult {
    const { words } = this;
    return html`<p>${people.length > 0 ? words.signInDemoHint : words.signInDemoNobody}</p>
      <ul>
        ${people.map(
          (one) => html`<li>
            <button class="who" @click=${() => this.#come({ demo: one })}>${avatar(one.id, one.name)}<span dir="auto">${one.name}</span></button>
          </li>`,
        )}
      </ul>
      <details>
        <summary>${words.signInInstead}</summary>
        ${this.#renderToken()}
      </details>`;
  }

  #renderToken(): TemplateResult {
    const { words } = this;
    return html`<form @submit=${this.#submit}>
      <p id="hint">${words.signInTokenHint}</p>
      <label>${words.signInToken}<textarea dir="ltr" rows="4" spellcheck="false" autocomplete="off" aria-describedby="hint" @input=${() => (this.isEmpty = !this.field.value.trim())}></textarea></label>
      <button class="button main" ?disabled=${this.isEmpty}>${words.signIn}</button>
    </form>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "carillon-sign-in": CarillonSignIn;
  }
}
