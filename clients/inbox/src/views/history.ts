/** `<carillon-inbox-history>`: the messages of one conversation, of any number, with only those around the screen in the page. */
import type { History, Message } from "@carillon/client";
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";
import { explain } from "../format/errors";
import type { TimeFormat } from "../format/time";
import { ReadPolicy } from "../history/read-policy";
import { findUnread, keyOf, makeRows, type Row } from "../history/rows";
import { ScrollPlace, type Parts } from "../history/scroll-place";
import { LoadingState } from "../loading";
import { Watch } from "../observe";
import type { Session } from "../session";
import { base } from "../styles/base";
import { historyStyles } from "../styles/history";
import { messageStyles } from "../styles/messages";
import type { Words } from "../words";
import { icons } from "./icons";
import { blank, failure } from "./parts";
import { row, type RowContext } from "./message";

/** Unread ones that are older than the first page are loaded too, so many pages at most, to open at the first of them. */
const MOST_UNREAD_PAGES = 10;
/** How far below the upper edge the first new message is when a conversation opens. */
const UNREAD_OFFSET = 56;

@customElement("carillon-inbox-history")
export class CarillonInboxHistory extends LitElement {
  static override styles = [base, historyStyles, messageStyles];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) words!: Words;
  @property({ attribute: false }) time!: TimeFormat;
  @property({ type: Number }) peer = 0;
  @property() name = "";
  @property({ attribute: false }) actions!: Pick<RowContext, "onMenu" | "onAction" | "onOpenFile" | "onOpenPicture" | "onError">;
  @property({ type: Number }) unread = 0;

  @query(".scroller") private scroller!: HTMLElement | null;
  @state() private floatingDay = "";
  @state() private isAtEnd = true;
  /** On a touch screen: the message that was touched shows its button. */
  @state() private touched = "";

  readonly #watch = new Watch(this);
  readonly #loading = new LoadingState();
  readonly #place = new ScrollPlace();
  readonly #reads = new ReadPolicy((upTo) => this.session.client.store.markRead(this.peer, upTo));
  readonly #resize = new ResizeObserver(() => this.#settle());
  #rows: Row[] = [];
  #made: readonly unknown[] = [];
  #unreadFrom: number | null = null;
  #isPlaced = false;
  #pages = 0;
  #newestKey = "";
  #fresh: ReadonlySet<string> = new Set();
  #hideDay = 0;
  #isFocusOwed = false;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#reads.start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#reads.stop();
    this.#resize.disconnect();
  }

  /** Show the newest message. */
  jumpToEnd(): void {
    this.#place.lookAt("end");
    this.requestUpdate();
  }

  /** The messages have the focus, now or as soon as they are there. */
  override focus(): void {
    this.#isFocusOwed = this.scroller === null;
    this.scroller?.focus();
  }

  get #history(): History {
    return this.session.client.store.history(this.peer).get();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("session") || changed.has("peer")) {
      const { client, uploads, pictures } = this.session;
      this.#watch.set([client.store.history(this.peer), client.connection.state, uploads.all, pictures]);
    }
    this.#makeRows();
    this.#place.take(this.#rows);
  }

  #makeRows(): void {
    const { items } = this.#history;
    const all = this.session.uploads.all.get();
    const from = this.#placeUnread(items);
    const made = [items, all, from, this.time];
    if (made.every((one, index) => one === this.#made[index])) return;
    this.#made = made;
    const uploads = all.filter((one) => one.peer === this.peer);
    this.#rows = makeRows({ messages: items, uploads, unreadFrom: from, before: this.#rows });
    this.#noteNewest();
  }

  /** Where the line above what is new stands, and at the beginning where the screen is. */
  #placeUnread(items: readonly Message[]): number | null {
    const history = this.#history;
    if (this.#isPlaced || items.length === 0) return this.#unreadFrom;
    const first = findUnread(items);
    if (first === null) {
      this.#isPlaced = true;
      return null;
    }
    const mayBeOlder = first === items[0] && history.hasOlder && this.#pages < MOST_UNREAD_PAGES;
    if (mayBeOlder && !history.error) {
      if (!history.isLoading) {
        this.#pages++;
        void this.session.client.store.loadOlder(this.peer).catch(() => undefined);
      }
    } else {
      this.#isPlaced = true;
    }
    this.#unreadFrom = first.id;
    this.#place.lookAt({ key: keyOf(first), offset: UNREAD_OFFSET });
    return first.id;
  }

  /** A message came at the end: mine is shown; another's is marked as new if nobody is looking. */
  #noteNewest(): void {
    const newest = this.#rows.at(-1);
    const before = this.#newestKey;
    this.#newestKey = newest?.key ?? "";
    if (!newest || before === "" || newest.key === before) return;
    const from = this.#rows.findIndex((one) => one.key === before) + 1;
    if (from === 0) return;
    const added = this.#rows.slice(from);
    this.#fresh = new Set(added.map((one) => one.key));
    if (newest.isMine) {
      this.#unreadFrom = null;
      this.jumpToEnd();
    } else if (!isLookedAt() && this.#unreadFrom === null) {
      this.#unreadFrom = added.find((one) => !one.isMine)?.message?.id ?? null;
      this.#made = [];
      this.requestUpdate();
    } else if (this.#place.isAtEnd) this.#place.lookAt("end");
  }

  protected override updated(): void {
    const parts = this.#parts;
    if (!parts) return;
    if (this.#isFocusOwed) this.focus();
    this.#resize.observe(parts.scroller);
    this.#resize.observe(parts.rows);
    this.#settle();
    this.#reads.observe(this.renderRoot.querySelectorAll<HTMLElement>("[data-unread]"));
  }

  #settle(): void {
    const parts = this.#parts;
    if (!parts) return;
    this.#holdUnread();
    if (this.#place.settle(parts)) this.requestUpdate();
    this.isAtEnd = this.#place.isAtEnd;
    this.#loadOlderIfNear();
  }

  /** What came while nobody looked is not scrolled past: the line above it stays on the screen. */
  #holdUnread(): void {
    if (this.#place.anchor !== "end" || this.#unreadFrom === null || isLookedAt()) return;
    const first = this.#rows.find((one) => one.beginsUnread);
    if (first && !this.#place.fitsFrom(first.key)) this.#place.lookAt({ key: first.key, offset: 8 });
  }

  #onScroll(): void {
    const parts = this.#parts;
    if (!parts) return;
    const isOwn = this.#place.isOwn(parts);
    if (this.#place.scrolled(parts)) this.requestUpdate();
    this.isAtEnd = this.#place.isAtEnd;
    if (!isOwn) this.#showDay();
    this.#loadOlderIfNear();
  }

  /** While somebody scrolls, the day they look at is shown above. */
  #showDay(): void {
    const top = this.#rows[this.#place.topIndex];
    this.floatingDay = top && !this.isAtEnd ? this.time.day(top.at) : "";
    window.clearTimeout(this.#hideDay);
    this.#hideDay = window.setTimeout(() => (this.floatingDay = ""), 1200);
  }

  #loadOlderIfNear(): void {
    const { hasOlder, isLoading, error } = this.#history;
    const { scroller } = this;
    if (!this.#isPlaced || !hasOlder || isLoading || error || !scroller || scroller.clientHeight === 0) return;
    if (scroller.scrollTop < 1.5 * scroller.clientHeight) this.#loadOlder();
  }

  #loadOlder = (): void => {
    this.session.client.store.loadOlder(this.peer).catch(() => undefined);
  };

  get #parts(): Parts | null {
    const root = this.renderRoot;
    const find = (name: string): HTMLElement | null => root.querySelector<HTMLElement>(name);
    const [scroller, lead, above, rows, below] = [this.scroller, find(".lead"), find(".above"), find(".rows"), find(".below")];
    return scroller && lead && above && rows && below ? { scroller, lead, above, rows, below } : null;
  }

  protected override render(): TemplateResult {
    const history = this.#history;
    const { error } = history;
    const { words } = this;
    const isAwaited = this.#loading.isAwaited(this.session.client, history);
    if (this.#rows.length === 0 && error) {
      return failure(words.historyFailed, explain(error, words), { text: words.retry, act: this.#loadOlder });
    }
    if (this.#rows.length === 0 && isAwaited) return bones();
    if (this.#rows.length === 0) return this.#renderEmpty();
    const context = this.#rowContext();
    const pictures = this.session.pictures.get();
    return html`<div class="scroller" tabindex="0" role="log" aria-live="off" aria-label=${this.name} @scroll=${this.#onScroll}>
        <div class="canvas">
          <div class="lead">${this.#renderLead()}</div>
          <div class="above"></div>
          <div class="rows" @click=${this.#touch}>
            ${repeat(
              this.#rows.slice(this.#place.first, this.#place.end),
              (one) => one.key,
              (one) => guard([one, ...Object.values(context), pictures], () => row(one, context)),
            )}
          </div>
          <div class="below"></div>
        </div>
      </div>
      <div class="floating day ${this.floatingDay ? "shown" : ""}" aria-hidden="true"><span>${this.floatingDay}</span></div>
      ${this.isAtEnd
        ? nothing
        : html`<button class="jump" title=${words.jumpToNewest} @click=${this.jumpToEnd}>
            ${icons.down}<span class="unseen">${words.jumpToNewest}</span>${this.unread > 0 ? html`<span class="count">${this.unread > 99 ? "99+" : this.unread}</span>` : nothing}
          </button>`}`;
  }

  #touch = (event: Event): void => {
    const target = event.target as HTMLElement;
    if (target.closest("button, a, video")) return;
    const key = target.closest<HTMLElement>("[data-key]")?.dataset["key"] ?? "";
    this.touched = this.touched === key ? "" : key;
  };

  #rowContext(): RowContext {
    const { session, words, time, name, touched } = this;
    return { session, words, time, name, touched, fresh: this.#fresh, ...this.actions };
  }

  #renderLead(): TemplateResult {
    const { hasOlder, error } = this.#history;
    const { words } = this;
    if (error) {
      return html`<div class="older-failed" role="alert">
        <span>${words.olderFailed} ${explain(error, words)}</span>
        <button class="button" @click=${this.#loadOlder}>${words.retry}</button>
      </div>`;
    }
    if (hasOlder) return html`<div class="spinner" role="status" aria-label=${words.loading}></div>`;
    return html`<span>${words.beginning}</span>`;
  }

  #renderEmpty(): TemplateResult {
    const { words, name, peer } = this;
    const hint = peer > 0 ? words.historyEmptyHint : words.historyEmptyApp;
    return blank(peer > 0 ? icons.chats : icons.bell, words.historyEmpty, hint.replace("{name}", name));
  }
}

function isLookedAt(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}

/** Bubbles to come. */
function bones(): TemplateResult {
  return html`<div class="bones" aria-hidden="true">
    ${["w5", "mine w3", "w4", "w6", "mine w5", "mine w2", "w3"].map((kind) => html`<div class="bone ${kind}"></div>`)}
  </div>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "carillon-inbox-history": CarillonInboxHistory;
  }
}
