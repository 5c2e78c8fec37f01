/** `<carillon-inbox-settings>`: appearance and language, and what the page puts below (its slot). */
import { css, html, LitElement, type TemplateResult } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { base } from "../styles/base";
import { LANGUAGES, type Language, type Words } from "../words";
import { icons } from "./icons";

type Theme = "auto" | "light" | "dark";

@customElement("carillon-inbox-settings")
export class CarillonInboxSettings extends LitElement {
  static override styles = [
    base,
    css`
      .panel {
        position: fixed;
        inset: auto;
        margin: 0;
        border: 0;
        inline-size: 17rem;
        padding: 1rem;
        border-radius: 18px;
        background: var(--_ground);
        color: var(--_text);
        box-shadow: var(--_shadow-high);
      }
      fieldset {
        border: 0;
        padding: 0;
        margin: 0 0 0.9rem;
        min-inline-size: 0;
      }
      legend {
        font-size: 0.8rem;
        font-weight: 600;
        color: var(--_dim);
        padding: 0 0 0.4rem;
      }
      .choice {
        display: grid;
        grid-auto-flow: column;
        grid-auto-columns: 1fr;
        background: var(--_canvas);
        border-radius: 12px;
        padding: 3px;
      }
      label {
        display: grid;
        cursor: pointer;
      }
      input {
        appearance: none;
        margin: 0;
        grid-area: 1 / 1;
        border-radius: 10px;
      }
      span {
        grid-area: 1 / 1;
        padding: 0.35rem 0.4rem;
        text-align: center;
        font-size: 0.84rem;
        line-height: 1.25;
        display: grid;
        place-items: center;
      }
      input:checked {
        background: var(--_bubble);
        box-shadow: var(--_shadow);
      }
      input:checked + span {
        font-weight: 600;
      }
    `,
  ];

  @property({ attribute: false }) words!: Words;
  @property() language: Language = "en";
  @property() theme: Theme = "auto";
  @query(".panel") private panel!: HTMLElement;
  @query("button") private button!: HTMLElement;

  #toggle = (): void => {
    this.panel.togglePopover();
    const at = this.button.getBoundingClientRect();
    const { offsetWidth: width, style } = this.panel;
    style.top = `${at.bottom + 6}px`;
    style.left = `${Math.max(8, Math.min(at.right - width, window.innerWidth - width - 8))}px`;
  };

  #press = (event: KeyboardEvent): void => {
    // Escape closes the panel and nothing behind it.
    if (event.key === "Escape") event.stopPropagation();
  };

  protected override render(): TemplateResult {
    const { words } = this;
    const themes: [Theme, string][] = [
      ["auto", words.themeAuto],
      ["light", words.themeLight],
      ["dark", words.themeDark],
    ];
    const languages = Object.entries(LANGUAGES).map(([one, { name }]): [Language, string] => [one as Language, name]);
    return html`<button class="round" aria-label=${words.settings} title=${words.settings} aria-haspopup="dialog" @click=${this.#toggle}>${icons.settings}</button>
      <div class="panel" popover="auto" role="dialog" aria-label=${words.settings} @keydown=${this.#press}>
        ${this.#renderChoice("theme", words.theme, themes, this.theme)} ${this.#renderChoice("language", words.language, languages, this.language)}
        <slot></slot>
      </div>`;
  }

  #renderChoice(kind: string, legend: string, choices: [string, string][], now: string): TemplateResult {
    return html`<fieldset>
      <legend>${legend}</legend>
      <div class="choice">
        ${choices.map(
          ([value, text]) => html`<label>
            <input type="radio" name=${kind} .checked=${value === now} @change=${() => this.dispatchEvent(new CustomEvent(`change-${kind}`, { detail: value }))} />
            <span>${text}</span>
          </label>`,
        )}
      </div>
    </fieldset>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "carillon-inbox-settings": CarillonInboxSettings;
  }
}
