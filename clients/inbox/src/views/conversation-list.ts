/** `<carillon-inbox-list>`: the conversations, newest first, and what a search finds instead. */
import type { ApiConversation, Person } from "@carillon/client";
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { nameOf, previewOf } from "../format/content";
import { explain } from "../format/errors";
import type { TimeFormat } from "../format/time";
import { LoadingState } from "../loading";
import { EveryMinute, Watch } from "../observe";
import type { Session } from "../session";
import { base } from "../styles/base";
import { listStyles } from "../styles/list";
import { count, fill, type Words } from "../words";
import { icons } from "./icons";
import { avatar, blank, failure } from "./parts";
import { moveByKey } from "./roving";

/** A search waits for the end of a word, in milliseconds. */
const TYPING_PAUSE = 220;

@customElement("carillon-inbox-list")
export class CarillonInboxList extends LitElement {
  static override styles = [base, listStyles];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) words!: Words;
  @property({ attribute: false }) time!: TimeFormat;
  @property({ attribute: false }) peer: number | null = null;
  @property() query = "";

  @state() private people: readonly Person[] | null = null;
  @state() private error: unknown = null;

  readonly #watch = new Watch(this);
  #loading = new LoadingState();
  #timer = 0;
  #search: AbortController | null = null;

  constructor() {
    super();
    new EveryMinute(this);
  }

  /** Put the focus on the open conversation, or on the first one. */
  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>("[data-id][tabindex='0']")?.focus();
  }

  /** Put the focus on that conversation, if it is there. */
  focusOn(peer: number | null): void {
    const entry = this.renderRoot.querySelector<HTMLElement>(`[data-id="${peer ?? ""}"]`);
    if (entry) entry.focus();
    else this.focus();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("session")) this.#follow();
    if (changed.has("query")) this.#plan();
  }

  #follow(): void {
    const { store, connection } = this.session.client;
    this.#watch.set([store.conversations, connection.state]);
    this.#loading = new LoadingState();
  }

  #plan(): void {
    window.clearTimeout(this.#timer);
    this.#search?.abort();
    this.people = null;
    this.error = null;
    const q = this.query.trim();
    if (q) this.#timer = window.setTimeout(() => void this.#run(q), TYPING_PAUSE);
  }

  async #run(q: string): Promise<void> {
    const search = (this.#search = new AbortController());
    this.error = null;
    try {
      const people = await this.session.client.rest.searchPeople(q, { limit: 30, signal: search.signal });
      if (search.signal.aborted) return;
      for (const one of people) this.session.people.set(one.id, one);
      this.people = people;
    } catch (error) {
      if (!search.signal.aborted) this.error = error;
    }
  }

  protected override render(): TemplateResult {
    return this.query.trim() ? this.#renderSearch(this.query.trim()) : this.#renderAll();
  }

  #renderAll(): TemplateResult {
    const { client } = this.session;
    const list = client.store.conversations.get();
    const { items, error, hasMore } = list;
    const { words } = this;
    const isAwaited = this.#loading.isAwaited(client, list);
    if (items.length === 0 && error) {
      return failure(words.conversationsFailed, explain(error, words), { text: words.retry, act: this.#loadMore });
    }
    if (items.length === 0 && isAwaited) return bones();
    if (items.length === 0) return blank(icons.chats, words.conversationsEmpty, words.conversationsEmptyHint);
    return html`<div class="scroller" @scroll=${this.#onScroll}>
      ${this.#renderList(items, words.conversations)}
      ${error
        ? html`<p class="more" role="alert">${explain(error, words)} <button class="button" @click=${this.#loadMore}>${words.retry}</button></p>`
        : hasMore
          ? html`<p class="more"><span class="spinner" role="status" aria-label=${words.loading}></span></p>`
          : nothing}
    </div>`;
  }

  #onScroll(event: Event): void {
    const { scrollHeight, scrollTop, clientHeight } = event.target as HTMLElement;
    const { hasMore, isLoading, error } = this.session.client.store.conversations.get();
    if (hasMore && !isLoading && !error && scrollHeight - scrollTop - clientHeight < 600) this.#loadMore();
  }

  #loadMore = (): void => {
    this.session.client.store.loadMoreConversations().catch(() => undefined);
  };

  #renderList(items: readonly ApiConversation[], label: string): TemplateResult {
    const chosen = items.some((one) => one.user_id === this.peer) ? this.peer : items[0]?.user_id;
    return html`<ul aria-label=${label} @keydown=${moveByKey}>
      ${repeat(
        items,
        (one) => one.user_id,
        (one) => this.#renderOne(one, one.user_id === chosen),
      )}
    </ul>`;
  }

  #renderOne(one: ApiConversation, isTabStop: boolean): TemplateResult {
    const { words, time } = this;
    const name = nameOf(one, words);
    const draft = one.user_id === this.peer ? "" : (this.session.drafts.get(one.user_id) ?? "").trim();
    const isOpen = one.user_id === this.peer;
    return html`<li>
      <button
        class="conversation ${one.unread_count > 0 ? "unread" : ""}"
        data-id=${one.user_id}
        tabindex=${isTabStop ? 0 : -1}
        aria-current=${isOpen ? "true" : nothing}
        @click=${() => this.#choose(one.user_id)}
      >
        ${avatar(one.user_id, name)}
        <span class="name" dir="auto">${name}</span>
        <time datetime=${new Date(one.updated_at_ms).toISOString()}>${time.short(one.updated_at_ms)}</time>
        <span class="last" dir="auto">${draft ? html`<b class="draft">${words.draft}</b> ${draft}` : previewOf(one, words)}</span>
        ${one.unread_count > 0
          ? html`<span class="badge" aria-label=${count(words.unread, one.unread_count)}>${one.unread_count > 99 ? "99+" : one.unread_count}</span>`
          : nothing}
      </button>
    </li>`;
  }

  #renderSearch(q: string): TemplateResult {
    const { words } = this;
    const wanted = q.toLowerCase();
    const matching = this.session.client.store.conversations
      .get()
      .items.filter((one) => `${nameOf(one, words)} ${one.username} ${one.last_message}`.toLowerCase().includes(wanted));
    const known = new Set(matching.map((one) => one.user_id));
    const people = this.people?.filter((one) => !known.has(one.id)) ?? null;
    const found = matching.length + (people?.length ?? 0);
    return html`<div class="scroller">
      ${matching.length > 0 ? html`<h2>${words.conversations}</h2>${this.#renderList(matching, words.conversations)}` : nothing}
      ${people && people.length > 0 ? html`<h2>${words.people}</h2>${this.#renderPeople(people, matching.length === 0)}` : nothing}
      ${this.error
        ? failure(words.searchFailed, explain(this.error, words), { text: words.retry, act: () => void this.#run(q) })
        : people === null
          ? html`<p class="more"><span class="spinner"></span></p>`
          : found === 0
            ? blank(icons.search, fill(words.nothingFound, { q }), words.nothingFoundHint)
            : nothing}
      <p class="unseen" role="status">${people === null ? words.searching : count(words.found, found)}</p>
    </div>`;
  }

  #renderPeople(people: readonly Person[], hasTabStop: boolean): TemplateResult {
    return html`<ul aria-label=${this.words.people} @keydown=${moveByKey}>
      ${people.map(
        (one, index) => html`<li>
          <button class="conversation" data-id=${one.id} tabindex=${hasTabStop && index === 0 ? 0 : -1} @click=${() => this.#choose(one.id)}>
            ${avatar(one.id, one.name)}
            <span class="name" dir="auto">${one.name}</span>
            <span class="last">${[one.english_name, one.mobile].filter(Boolean).join(" · ")}</span>
          </button>
        </li>`,
      )}
    </ul>`;
  }

  #choose(peer: number): void {
    this.dispatchEvent(new CustomEvent("choose", { detail: peer }));
  }
}

function bones(): TemplateResult {
  return html`<div class="bones" aria-hidden="true">
    ${Array.from({ length: 9 }, () => html`<div><span class="bone circle"></span><span class="bone one"></span><span class="bone two"></span></div>`)}
  </div>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "carillon-inbox-list": CarillonInboxList;
  }
}
