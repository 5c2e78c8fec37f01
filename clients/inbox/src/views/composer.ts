/** `<carillon-inbox-composer>`: where a message is written. Enter sends, Shift+Enter begins a new line. */
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { formatSize, extensionOf } from "../format/files";
import type { Session } from "../session";
import { base } from "../styles/base";
import { composerStyles } from "../styles/composer";
import { fill, type Words } from "../words";
import { icons } from "./icons";

/** What the server takes by default (contract §2). */
const MOST_BYTES = 64 * 1024;

@customElement("carillon-inbox-composer")
export class CarillonInboxComposer extends LitElement {
  static override styles = [base, composerStyles];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) words!: Words;
  @property({ type: Number }) peer = 0;
  @property() name = "";

  @query("textarea") private field!: HTMLTextAreaElement;
  @query("input") private chooser!: HTMLInputElement;
  @state() private text = "";
  @state() private files: readonly File[] = [];
  @state() private problem = "";

  readonly #previews = new Map<File, string>();

  override focus(): void {
    this.field.focus();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const url of this.#previews.values()) URL.revokeObjectURL(url);
    this.#previews.clear();
  }

  /** Put files beside the text; they go with the next send. */
  attach(files: Iterable<File>): void {
    const all = [...files];
    const empty = all.find((one) => one.size === 0);
    this.problem = empty ? fill(this.words.emptyFile, { name: empty.name }) : "";
    this.#keepFiles([...this.files, ...all.filter((one) => one.size > 0)]);
    this.field.focus();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("peer") && !changed.has("session")) return;
    this.text = this.session.drafts.get(this.peer) ?? "";
    this.files = this.session.attachments.get(this.peer) ?? [];
    this.problem = "";
  }

  protected override updated(): void {
    // By the object model and not as an attribute: a strict policy allows no style attributes.
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
  }

  get #bytes(): number {
    return this.text.length * 3 < MOST_BYTES ? 0 : new TextEncoder().encode(this.text).length;
  }

  #type = (): void => {
    this.text = this.field.value;
    this.session.drafts.set(this.peer, this.text);
  };

  #press = (event: KeyboardEvent): void => {
    // While a Chinese word is being composed, Enter chooses it. Safari tells by 229 only.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#send();
  };

  #paste = (event: ClipboardEvent): void => {
    const files = event.clipboardData?.files;
    if (!files || files.length === 0) return;
    event.preventDefault();
    this.attach(files);
  };

  #send(): void {
    const text = this.text.trim();
    if (this.#bytes > MOST_BYTES || (!text && this.files.length === 0)) return;
    const { peer, session, files } = this;
    this.text = "";
    this.field.value = "";
    session.drafts.delete(peer);
    this.#keepFiles([]);
    this.field.focus();
    for (const file of files) session.uploads.add(peer, file);
    // A failure is shown at the message itself.
    if (text) session.client.store.send(peer, { content: text }).catch(() => undefined);
    this.dispatchEvent(new CustomEvent("sent"));
  }

  #keepFiles(files: readonly File[]): void {
    for (const [file, url] of this.#previews) {
      if (files.includes(file)) continue;
      URL.revokeObjectURL(url);
      this.#previews.delete(file);
    }
    this.files = files;
    this.session.attachments.set(this.peer, files);
  }

  #previewOf(file: File): string | null {
    if (!file.type.startsWith("image/") || file.type === "image/svg+xml") return null;
    const url = this.#previews.get(file) ?? URL.createObjectURL(file);
    this.#previews.set(file, url);
    return url;
  }

  protected override render(): TemplateResult {
    const { words, text, files } = this;
    const bytes = this.#bytes;
    const tooLong = bytes > MOST_BYTES ? fill(words.tooLong, { size: formatSize(bytes), limit: formatSize(MOST_BYTES) }) : "";
    const canSend = !tooLong && (text.trim() !== "" || files.length > 0);
    return html`<div class="box">
      ${files.length > 0 ? this.#renderFiles(files) : nothing}
      <div class="writing">
        <button class="round" aria-label=${words.attach} title=${words.attach} @click=${() => this.chooser.click()}>${icons.attach}</button>
        <input type="file" multiple hidden tabindex="-1" aria-hidden="true" @change=${this.#choose} />
        <textarea
          rows="1"
          dir="auto"
          enterkeyhint="send"
          placeholder=${fill(words.write, { name: this.name })}
          aria-label=${fill(words.write, { name: this.name })}
          aria-invalid=${tooLong ? "true" : "false"}
          .value=${text}
          @input=${this.#type}
          @keydown=${this.#press}
          @paste=${this.#paste}
        ></textarea>
        <button class="round send ${canSend ? "ready" : ""}" aria-label=${words.send} title=${words.send} aria-disabled=${canSend ? "false" : "true"} @click=${() => this.#send()}>${icons.send}</button>
      </div>
      <p class="problem" role="status">${tooLong || this.problem}</p>
    </div>`;
  }

  #choose = (): void => {
    if (this.chooser.files) this.attach(this.chooser.files);
    this.chooser.value = "";
  };

  #renderFiles(files: readonly File[]): TemplateResult {
    return html`<ul class="tray" aria-label=${this.words.attachments}>
      ${files.map((file) => {
        const preview = this.#previewOf(file);
        return html`<li>
          ${preview ? html`<img src=${preview} alt="" />` : html`<span class="kind" aria-hidden="true">${extensionOf(file.name) || icons.attach}</span>`}
          <span class="about"><b dir="auto">${file.name}</b><span>${formatSize(file.size)}</span></span>
          <button class="round" aria-label=${fill(this.words.removeFile, { name: file.name })} @click=${() => this.#remove(file)}>${icons.close}</button>
        </li>`;
      })}
    </ul>`;
  }

  #remove(file: File): void {
    this.#keepFiles(this.files.filter((one) => one !== file));
    this.field.focus();
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "carillon-inbox-composer": CarillonInboxComposer;
  }
}
