/** `<carillon-inbox-apps>`: the apps that the person can sign on to, by category. */
import type { AppAccount } from "@carillon/client";
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { explain } from "../format/errors";
import { openLater, type Session } from "../session";
import { base } from "../styles/base";
import { listStyles } from "../styles/list";
import { fill, type Words } from "../words";
import { icons } from "./icons";
import { avatar, blank, failure } from "./parts";
import { moveByKey } from "./roving";

@customElement("carillon-inbox-apps")
export class CarillonInboxApps extends LitElement {
  static override styles = [base, listStyles];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) words!: Words;
  @property() query = "";

  @state() private apps: readonly AppAccount[] | null = null;
  @state() private error: unknown = null;

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("session")) void this.#load();
  }

  async #load(again = false): Promise<void> {
    this.error = null;
    try {
      this.apps = await this.session.loadApps(again);
    } catch (error) {
      this.error = error;
    }
  }

  protected override render(): TemplateResult {
    const { words, apps, error } = this;
    if (error) return failure(words.appsFailed, explain(error, words), { text: words.retry, act: () => void this.#load(true) });
    if (apps === null) return blank(icons.apps, words.loading);
    if (apps.length === 0) return blank(icons.apps, words.appsEmpty, words.appsEmptyHint);
    const q = this.query.trim().toLowerCase();
    const found = apps.filter((one) => `${one.app_name} ${one.app_id} ${one.description}`.toLowerCase().includes(q));
    if (found.length === 0) return blank(icons.search, fill(words.nothingFound, { q: this.query.trim() }));
    return html`<div class="scroller" @keydown=${moveByKey}>
      ${[...groupByCategory(found)].map(
        ([category, ones], group) => html`${category ? html`<h2>${category}</h2>` : nothing}
          <ul class="apps" aria-label=${category || words.apps}>
            ${ones.map((one, index) => this.#renderOne(one, group === 0 && index === 0))}
          </ul>`,
      )}
    </div>`;
  }

  #renderOne(one: AppAccount, isTabStop: boolean): TemplateResult {
    const line = one.description || one.mapped_key || "";
    return html`<li>
      <button
        class="conversation ${line ? "" : "only"}"
        data-id=${one.app_id}
        tabindex=${isTabStop ? 0 : -1}
        title=${fill(this.words.openApp, { name: one.app_name })}
        @click=${() => void this.#open(one)}
      >
        ${avatar(this.#idOf(one), one.app_name)}
        <span class="name" dir="auto">${one.app_name}</span>
        ${line ? html`<span class="last" dir="auto">${line}</span>` : nothing}
        <span class="open">${icons.open}</span>
      </button>
    </li>`;
  }

  /** Its number, which only its conversation tells, so that it has the same colour there; else one made of its name. */
  #idOf(app: AppAccount): number {
    const { items } = this.session.client.store.conversations.get();
    return items.find((one) => one.app_id !== null && one.username === app.app_id)?.user_id ?? -hash(app.app_id);
  }

  async #open(app: AppAccount): Promise<void> {
    try {
      await openLater(() => this.session.client.rest.signOn(app.app_id));
    } catch (error) {
      const sentence = fill(this.words.signOnFailed, { name: app.app_name });
      this.dispatchEvent(new CustomEvent("problem", { detail: { sentence, error } }));
    }
  }
}

function groupByCategory(apps: readonly AppAccount[]): Map<string, AppAccount[]> {
  const groups = new Map<string, AppAccount[]>();
  for (const one of apps) {
    const name = one.category_name ?? "";
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return groups;
}

function hash(text: string): number {
  let sum = 1;
  for (const one of text) sum = (sum * 31 + (one.codePointAt(0) ?? 0)) % 9973;
  return sum || 1;
}

declare global {
  interface HTMLElementTagNameMap {
    "carillon-inbox-apps": CarillonInboxApps;
  }
}
