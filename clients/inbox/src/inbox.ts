/**
 * `<carillon-inbox>`: the message centre of one person, as one element for any page.
 *
 * Give it a `client`, or `base-url` and `getToken`, and it makes one of its own.
 */
import { createClient, type CarillonClient, type ClientOptions } from "@carillon/client";
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { keyed } from "lit/directives/keyed.js";
import { Announcer } from "./announcer";
import { explain } from "./format/errors";
import { TimeFormat } from "./format/time";
import { Watch } from "./observe";
import { Session } from "./session";
import { base } from "./styles/base";
import { inboxStyles } from "./styles/inbox";
import { tokens } from "./styles/tokens";
import "./views/banner";
import "./views/chat";
import "./views/conversation-list";
import { icons } from "./views/icons";
import "./views/launchpad";
import { blank } from "./views/parts";
import "./views/settings";
import { chooseLanguage, LANGUAGES, type Language, type Words } from "./words";

/** Below this width there is one pane, in pixels of the element itself. */
const NARROW = 720;
/** How long a note at the edge is shown, in milliseconds. */
const NOTE_TIME = 6000;

export type Theme = "auto" | "light" | "dark";

@customElement("carillon-inbox")
export class CarillonInbox extends LitElement {
  static override styles = [tokens, base, inboxStyles];

  /** The person's client. It is started here, and not stopped. */
  @property({ attribute: false }) client: CarillonClient | null = null;
  /** Where the API is, if no `client` is given: an origin, or empty for the page's own. */
  @property({ attribute: "base-url" }) baseUrl: string | null = null;
  /** Gives a token that is good now, if no `client` is given. See the SDK's `getToken`. */
  @property({ attribute: false }) getToken: ClientOptions["getToken"] | null = null;
  /** `zh`, `en`, or anything that begins so; by default the page's or the browser's language. */
  @property({ reflect: true }) override lang = "";
  @property({ reflect: true }) theme: Theme = "auto";
  /** The conversation that is open, by its `user_id`; null for none. */
  @property({ type: Number }) peer: number | null = null;
  /** Leave the button for appearance and language out: the portal has its own. */
  @property({ type: Boolean, attribute: "hide-settings" }) hideSettings = false;

  @state() private isNarrow = false;
  @state() private tab: "chats" | "apps" = "chats";
  @state() private search = "";
  @state() private note = "";

  @query("carillon-inbox-chat") private chat!: HTMLElementTagNameMap["carillon-inbox-chat"] | null;
  @query("carillon-inbox-list") private list!: HTMLElementTagNameMap["carillon-inbox-list"] | null;
  @query("input") private searchField!: HTMLInputElement;

  readonly #watch = new Watch(this, () => this.#tellUnread());
  readonly #announcer = new Announcer(this, () => this.#words);
  readonly #size = new ResizeObserver(([entry]) => (this.isNarrow = (entry?.contentRect.width ?? NARROW) < NARROW));
  #session: Session | null = null;
  #own: CarillonClient | null = null;
  #language: Language = "en";
  #time = new TimeFormat(LANGUAGES.en.locale, LANGUAGES.en.words);
  #noteTimer = 0;
  #unread = -1;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#size.observe(this);
    this.#own?.start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#size.disconnect();
    this.#own?.stop();
  }

  /** Open a conversation by its `user_id`; null closes it. */
  open(peer: number | null): void {
    if (peer === this.peer) return;
    this.peer = peer;
    this.dispatchEvent(new CustomEvent("carillon-open", { detail: { peer }, bubbles: true, composed: true }));
  }

  get #words(): Words {
    return LANGUAGES[this.#language].words;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    this.#chooseLanguage();
    if (changed.has("client") || changed.has("baseUrl") || changed.has("getToken")) this.#begin();
    if (changed.has("peer") && Number.isNaN(this.peer)) this.peer = null;
  }

  #chooseLanguage(): void {
    const wished = [this.lang, document.documentElement.lang, ...navigator.languages].filter(Boolean);
    const language = chooseLanguage(wished);
    if (language === this.#language) return;
    this.#language = language;
    this.#time = new TimeFormat(LANGUAGES[language].locale, LANGUAGES[language].words);
  }

  /** Another person, or the first one: nothing of the one before stays. */
  #begin(): void {
    this.#own?.stop();
    this.#own = null;
    this.#session?.end();
    this.#session = null;
    this.#unread = -1;
    const client = this.client ?? this.#makeClient();
    if (!client) return;
    this.#session = new Session(client);
    const { conversations, unreadCount } = client.store;
    this.#watch.set([conversations, unreadCount]);
    this.#announcer.follow(client.store);
    if (this.isConnected) client.start();
    this.#tellUnread();
  }

  #makeClient(): CarillonClient | null {
    const { baseUrl, getToken } = this;
    if (baseUrl === null || getToken === null) return null;
    this.#own = createClient({ baseUrl, getToken });
    return this.#own;
  }

  #tellUnread(): void {
    const count = this.#session?.client.store.unreadCount.get() ?? 0;
    this.requestUpdate();
    if (count === this.#unread) return;
    this.#unread = count;
    this.dispatchEvent(new CustomEvent("carillon-unread", { detail: { count }, bubbles: true, composed: true }));
  }

  /** Show what failed and why, and tell the page. */
  #tellProblem({ detail }: CustomEvent<{ sentence: string; error: unknown }>): void {
    const { sentence, error } = detail;
    this.note = error === null ? sentence : `${sentence} ${explain(error, this.#words)}`;
    window.clearTimeout(this.#noteTimer);
    this.#noteTimer = window.setTimeout(() => (this.note = ""), NOTE_TIME);
    if (error === null) return;
    this.dispatchEvent(new CustomEvent("carillon-error", { detail: { error, message: this.note }, bubbles: true, composed: true }));
  }

  async #choose(peer: number): Promise<void> {
    this.open(peer);
    await this.updateComplete;
    this.chat?.focus();
  }

  /** Back to the list, with the focus on what was open. */
  async #leave(): Promise<void> {
    const { list } = this;
    if (this.isNarrow) {
      const before = this.peer;
      this.open(null);
      await this.updateComplete;
      await this.list?.updateComplete;
      this.list?.focusOn(before);
    } else list?.focus();
  }

  #press = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return;
    const isInSearch = event.composedPath()[0] === this.searchField;
    if (isInSearch && this.search) this.#setSearch("");
    else if (!isInSearch && this.peer !== null) void this.#leave();
    else return;
    event.preventDefault();
  };

  #pressInSearch = (event: KeyboardEvent): void => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    this.list?.focus();
  };

  #setSearch(text: string): void {
    this.search = text;
    this.searchField.value = text;
    this.searchField.focus();
  }

  protected override render(): TemplateResult | typeof nothing {
    const session = this.#session;
    if (!session) return nothing;
    const isOneOpen = this.peer !== null;
    return html`<div class="inbox ${this.isNarrow ? "narrow" : "wide"}" lang=${LANGUAGES[this.#language].locale} @keydown=${this.#press}>
      ${this.isNarrow && isOneOpen ? nothing : this.#renderSide(session)}
      ${this.isNarrow && !isOneOpen ? nothing : this.#renderMain(session)}
      <div class="note ${this.note ? "shown" : ""}" role="status"><span>${this.note}</span></div>
      <div class="unseen" aria-live="polite">${this.#announcer.text}</div>
    </div>`;
  }

  #renderSide(session: Session): TemplateResult {
    const words = this.#words;
    const time = this.#time;
    return html`<nav class="side" aria-label=${words.inbox}>
      <header>
        <h1>${words.inbox}</h1>
        ${this.hideSettings
          ? nothing
          : html`<carillon-inbox-settings .words=${words} .language=${this.#language} .theme=${this.theme} @change-theme=${this.#changeTheme} @change-language=${this.#changeLanguage}><slot name="menu"></slot></carillon-inbox-settings>`}
      </header>
      <div class="search">
        ${icons.search}
        <input type="search" enterkeyhint="search" autocomplete="off" placeholder=${words.searchShort} aria-label=${words.search} .value=${this.search}
          @input=${(event: Event) => (this.search = (event.target as HTMLInputElement).value)} @keydown=${this.#pressInSearch} />
        ${this.search ? html`<button class="round" aria-label=${words.clearSearch} @click=${() => this.#setSearch("")}>${icons.close}</button>` : nothing}
      </div>
      <carillon-inbox-banner .session=${session} .words=${words}></carillon-inbox-banner>
      ${this.tab === "chats"
        ? html`<carillon-inbox-list .session=${session} .words=${words} .time=${time} .peer=${this.peer} .query=${this.search} @choose=${(event: CustomEvent<number>) => void this.#choose(event.detail)}></carillon-inbox-list>`
        : html`<carillon-inbox-apps .session=${session} .words=${words} .query=${this.search} @problem=${this.#tellProblem}></carillon-inbox-apps>`}
      ${this.#renderTabs(session, words)}
    </nav>`;
  }

  #renderTabs(session: Session, words: Words): TemplateResult {
    const unread = session.client.store.unreadCount.get();
    const one = (tab: "chats" | "apps", name: string, icon: TemplateResult, badge: TemplateResult | typeof nothing): TemplateResult =>
      html`<button aria-pressed=${this.tab === tab ? "true" : "false"} @click=${() => (this.tab = tab)}><span>${icon}${badge}</span>${name}</button>`;
    return html`<div class="tabs">
      ${one("chats", words.chats, icons.chats, unread > 0 ? html`<b aria-hidden="true">${unread > 99 ? "99+" : unread}</b>` : nothing)}
      ${one("apps", words.apps, icons.apps, nothing)}
    </div>`;
  }

  #renderMain(session: Session): TemplateResult {
    const words = this.#words;
    if (this.peer === null) return html`<section class="none" aria-label=${words.chooseConversation}>${blank(icons.chats, words.chooseConversation, words.chooseConversationHint)}</section>`;
    return html`<div class="main">
      ${this.isNarrow ? html`<carillon-inbox-banner .session=${session} .words=${words}></carillon-inbox-banner>` : nothing}
      ${keyed(
        this.peer,
        html`<carillon-inbox-chat .session=${session} .words=${words} .time=${this.#time} .peer=${this.peer} .narrow=${this.isNarrow}
          @leave=${() => void this.#leave()} @problem=${this.#tellProblem}></carillon-inbox-chat>`,
      )}
    </div>`;
  }

  #changeTheme(event: CustomEvent<Theme>): void {
    this.theme = event.detail;
    this.#tellSettings();
  }

  #changeLanguage(event: CustomEvent<Language>): void {
    this.lang = event.detail;
    this.#tellSettings();
  }

  /** For a page that remembers them. */
  #tellSettings(): void {
    const { theme, lang } = this;
    this.dispatchEvent(new CustomEvent("carillon-settings", { detail: { theme, lang }, bubbles: true, composed: true }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "carillon-inbox": CarillonInbox;
  }
}
