/** `<carillon-inbox-banner>`: says when the inbox is not connected, why, and what can be done. Silent while all is well. */
import type { ConnectionState, StopReason } from "@carillon/client";
import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { Watch } from "../observe";
import type { Session } from "../session";
import { base } from "../styles/base";
import { count, type Words } from "../words";
import { icons } from "./icons";

/** A short break is over before anybody need know of it, in milliseconds. */
const PATIENCE = 1500;
/** How long it says that all is well again. */
const RELIEF = 3000;

@customElement("carillon-inbox-banner")
export class CarillonInboxBanner extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        display: block;
      }
      p {
        display: flex;
        align-items: center;
        gap: 0.6rem;
        padding: 0.45rem 1rem;
        font-size: 0.8438rem;
        line-height: 1.35;
        background: var(--_warn-ground);
        color: var(--_warn);
        animation: appear 0.2s ease-out;
      }
      p.good {
        background: var(--_good-ground);
        color: var(--_good);
      }
      p.bad {
        background: var(--_bad-ground);
        color: var(--_bad);
      }
      p > span {
        flex: 1;
      }
      .icon {
        inline-size: 1.15rem;
        block-size: 1.15rem;
      }
      button {
        font-weight: 650;
        text-decoration: underline;
        text-underline-offset: 3px;
        white-space: nowrap;
        padding: 0.2rem;
      }
      @keyframes appear {
        from {
          opacity: 0;
        }
      }
    `,
  ];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) words!: Words;
  @state() private isTold = false;
  @state() private isRelieved = false;
  readonly #watch = new Watch(this, () => this.#follow());
  #timer = 0;
  #tick = 0;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.clearTimeout(this.#timer);
    window.clearInterval(this.#tick);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("session")) return;
    this.#watch.set([this.session.client.connection.state]);
    this.#follow();
  }

  #follow(): void {
    const state = this.session.client.connection.state.get();
    window.clearInterval(this.#tick);
    if (state.status === "waiting") this.#tick = window.setInterval(() => this.requestUpdate(), 1000);
    if (state.status === "open") this.#recover();
    else if (state.status === "offline" || state.status === "stopped") this.#tell();
    else if (state.status !== "idle" && !this.isTold && !this.#timer) this.#timer = window.setTimeout(() => this.#tell(), PATIENCE);
    this.requestUpdate();
  }

  #tell(): void {
    window.clearTimeout(this.#timer);
    this.#timer = 0;
    this.isTold = true;
    this.isRelieved = false;
  }

  #recover(): void {
    window.clearTimeout(this.#timer);
    this.#timer = 0;
    if (!this.isTold) return;
    this.isTold = false;
    this.isRelieved = true;
    this.#timer = window.setTimeout(() => {
      this.#timer = 0;
      this.isRelieved = false;
    }, RELIEF);
  }

  protected override render(): TemplateResult {
    // The region is there before its text, or a screen reader says nothing.
    return html`<div role="status">${this.isTold || this.isRelieved ? this.#renderState(this.session.client.connection.state.get()) : nothing}</div>`;
  }

  #renderState(state: ConnectionState): TemplateResult | typeof nothing {
    const { words } = this;
    const { connection } = this.session.client;
    switch (state.status) {
      case "open":
        return html`<p class="good"><span>${words.backOnline}</span></p>`;
      case "offline":
        return html`<p>${icons.offline}<span>${words.offline}</span></p>`;
      case "connecting":
        return html`<p><span>${state.attempt > 1 ? words.reconnecting : words.connecting}</span></p>`;
      case "waiting": {
        const seconds = Math.max(0, Math.ceil((state.retryAt - Date.now()) / 1000));
        // The countdown is for the eye: said every second it would drown everything else.
        return html`<p>
          ${icons.offline}<span class="unseen">${words.reconnecting}</span
          ><span aria-hidden="true">${seconds > 0 ? count(words.waiting, seconds) : words.reconnecting}</span
          ><button @click=${() => connection.wake()}>${words.tryNow}</button>
        </p>`;
      }
      case "stopped":
        return html`<p class="bad">
          ${icons.warning}<span>${tellReason(state.reason, words)}</span>
          ${state.reason === "disabled" ? nothing : html`<button @click=${() => this.session.client.start()}>${words.connectAgain}</button>`}
        </p>`;
      default:
        return nothing;
    }
  }
}

function tellReason(reason: StopReason, words: Words): string {
  const sentences: Record<StopReason, string> = {
    signed_out: words.stoppedSignedOut,
    disabled: words.stoppedDisabled,
    replaced: words.stoppedReplaced,
    flooding: words.stoppedFlooding,
    refused: words.stoppedRefused,
    closed: words.stoppedClosed,
  };
  return sentences[reason];
}

declare global {
  interface HTMLElementTagNameMap {
    "carillon-inbox-banner": CarillonInboxBanner;
  }
}
