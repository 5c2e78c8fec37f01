/** `<carillon-inbox-chat>`: one conversation: who it is with, its history, and the field for writing. */
import type { Message } from "@carillon/client";
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { nameOf } from "../format/content";
import type { TimeFormat } from "../format/time";
import { Receipts } from "../history/receipts";
import { Watch } from "../observe";
import { openLater, type Session } from "../session";
import { base } from "../styles/base";
import { chatStyles } from "../styles/chat";
import { fill, type Words } from "../words";
import "./composer";
import "./history";
import { icons } from "./icons";
import "./menu";
import { avatar } from "./parts";
import "./recall-dialog";
import "./viewer";

@customElement("carillon-inbox-chat")
export class CarillonInboxChat extends LitElement {
  static override styles = [base, chatStyles];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) words!: Words;
  @property({ attribute: false }) time!: TimeFormat;
  @property({ type: Number }) peer = 0;
  /** One pane at a time: there is a way back. */
  @property({ type: Boolean }) narrow = false;

  @query("carillon-inbox-composer") private composer!: HTMLElementTagNameMap["carillon-inbox-composer"] | null;
  @query("carillon-inbox-history") private history!: HTMLElementTagNameMap["carillon-inbox-history"];
  @query("carillon-inbox-menu") private menu!: HTMLElementTagNameMap["carillon-inbox-menu"];
  @query("carillon-inbox-recall") private recallDialog!: HTMLElementTagNameMap["carillon-inbox-recall"];
  @query("carillon-inbox-viewer") private viewer!: HTMLElementTagNameMap["carillon-inbox-viewer"];
  @state() private isDropping = false;
  @state() private account: string | null = null;

  readonly #watch = new Watch(this);
  readonly #receipts = new Receipts(this);
  #close: (() => void) | null = null;

  /** Where the person wants to be: the field for writing, or the messages if there is none. */
  override focus(): void {
    void this.updateComplete.then(() => (this.composer ?? this.history).focus());
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.#open();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#close?.();
    this.#close = null;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("session") && !changed.has("peer")) return;
    const { conversations, unreadCount } = this.session.client.store;
    this.#watch.set([conversations, unreadCount]);
    this.#open();
    this.#receipts.follow(this.session.client, this.peer);
    void this.#findAccount();
  }

  #open(): void {
    this.#close?.();
    this.#close = this.session.client.store.open(this.peer);
  }

  /** Of an app: whether the person can sign on to it. */
  async #findAccount(): Promise<void> {
    this.account = null;
    const { peer } = this;
    if (peer >= 0) return;
    // Without the launchpad there is no button; the launchpad itself says why.
    const apps = await this.session.loadApps().catch(() => []);
    if (peer !== this.peer) return;
    this.account = apps.find((one) => one.app_id === this.#conversation?.username)?.app_id ?? null;
  }

  get #conversation() {
    return this.session.client.store.conversations.get().items.find((one) => one.user_id === this.peer);
  }

  get #name(): string {
    const conversation = this.#conversation;
    if (conversation) return nameOf(conversation, this.words);
    const person = this.session.people.get(this.peer);
    if (person) return person.name;
    return this.peer === 0 ? this.words.system : `${this.peer > 0 ? this.words.person : this.words.app} ${Math.abs(this.peer)}`;
  }

  readonly #actions = {
    onMenu: (message: Message, button: HTMLElement): void => void this.menu.show(message, button),
    onAction: (message: Message): void => {
      this.session.client.openAction(message).catch((error: unknown) => this.#tell(this.words.actionFailed, error));
    },
    onOpenPicture: (message: Message): void => void this.viewer.show(message),
    onOpenFile: (message: Message): void => void this.#openFile(message),
    onError: (sentence: string, error: unknown): void => this.#tell(sentence, error),
  };

  async #openFile(message: Message): Promise<void> {
    const { session } = this;
    try {
      openFile(session.isOld(message) ? await session.refresh(message) : session.addressOf(message), message.filename);
    } catch (error) {
      this.#tell(this.words.fileFailed, error);
    }
  }

  async #recall(message: Message): Promise<void> {
    if (!(await this.recallDialog.ask())) return;
    try {
      await this.session.client.store.recall(this.peer, message.id);
    } catch (error) {
      this.#tell(this.words.recallFailed, error);
    }
    this.focus();
  }

  #tell(sentence: string, error: unknown = null): void {
    this.dispatchEvent(new CustomEvent("problem", { detail: { sentence, error } }));
  }

  #leave = (): void => {
    this.dispatchEvent(new CustomEvent("leave"));
  };

  // A file may be dropped anywhere in the conversation. Leaving a child is no leaving.
  #drag = (event: DragEvent): void => {
    if (this.peer <= 0 || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.isDropping = event.type !== "dragleave" || this.#isInside(event);
  };

  #isInside({ clientX, clientY }: DragEvent): boolean {
    const { left, right, top, bottom } = this.getBoundingClientRect();
    return clientX > left && clientX < right && clientY > top && clientY < bottom;
  }

  #drop = (event: DragEvent): void => {
    this.isDropping = false;
    const files = event.dataTransfer?.files;
    if (this.peer <= 0 || !files || files.length === 0) return;
    event.preventDefault();
    this.composer?.attach(files);
  };

  protected override render(): TemplateResult {
    const { words, session, time, peer } = this;
    const name = this.#name;
    return html`<section class="chat" aria-label=${fill(words.messages, { name })} @dragenter=${this.#drag} @dragover=${this.#drag} @dragleave=${this.#drag} @drop=${this.#drop}>
      ${this.#renderHeader(name)}
      <carillon-inbox-history
        .session=${session} .words=${words} .time=${time} .peer=${peer} .name=${name} .actions=${this.#actions}
        .unread=${this.#conversation?.unread_count ?? 0}
      ></carillon-inbox-history>
      ${peer > 0
        ? html`<carillon-inbox-composer .session=${session} .words=${words} .peer=${peer} .name=${name} @sent=${() => this.history.jumpToEnd()}></carillon-inbox-composer>`
        : html`<p class="silent">${words.cannotReply}</p>`}
      ${this.isDropping ? html`<div class="drop"><span>${icons.attach}${fill(words.dropHere, { name })}</span></div>` : nothing}
      <carillon-inbox-menu .words=${words} @recall=${(event: CustomEvent<Message>) => void this.#recall(event.detail)} @copied=${(event: CustomEvent<boolean>) => this.#tell(event.detail ? words.copied : words.copyFailed)}></carillon-inbox-menu>
      <carillon-inbox-recall .words=${words}></carillon-inbox-recall>
      <carillon-inbox-viewer .words=${words} .session=${session}></carillon-inbox-viewer>
    </section>`;
  }

  #renderHeader(name: string): TemplateResult {
    const { words, peer, account } = this;
    const under = peer > 0 ? (this.#conversation?.username ?? this.session.people.get(peer)?.mobile ?? "") : words.app;
    return html`<header>
      ${this.narrow ? html`<button class="round" aria-label=${words.back} title=${words.back} @click=${this.#leave}>${icons.back}</button>${this.#renderElsewhere()}` : nothing}
      ${avatar(peer, name, "small")}
      <div class="who">
        ${this.narrow ? html`<h1 class="title" dir="auto">${name}</h1>` : html`<h2 class="title" dir="auto">${name}</h2>`}
        ${peer !== 0 && under ? html`<span>${under}</span>` : nothing}
      </div>
      ${account === null
        ? nothing
        : html`<button class="button" @click=${() => void this.#signOn(account, name)}>${icons.open}${fill(words.openApp, { name: "" }).trim()}</button>`}
    </header>`;
  }

  /** How many wait in other conversations: on a phone the list is out of sight. */
  #renderElsewhere(): TemplateResult | typeof nothing {
    const count = this.session.client.store.unreadCount.get() - (this.#conversation?.unread_count ?? 0);
    return count > 0 ? html`<span class="elsewhere" aria-hidden="true">${count > 99 ? "99+" : count}</span>` : nothing;
  }

  async #signOn(app: string, name: string): Promise<void> {
    try {
      await openLater(() => this.session.client.rest.signOn(app));
    } catch (error) {
      this.#tell(fill(this.words.signOnFailed, { name }), error);
    }
  }
}

/** Most files are downloads, for which no tab stays open; one that the browser shows gets a tab of its own. */
function openFile(address: string, name: string | null): void {
  const link = document.createElement("a");
  Object.assign(link, { href: address, download: name ?? "", target: "_blank", rel: "noopener noreferrer" });
  link.click();
}

declare global {
  interface HTMLElementTagNameMap {
    "carillon-inbox-chat": CarillonInboxChat;
  }
}
