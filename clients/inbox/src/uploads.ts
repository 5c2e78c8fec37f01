/** Files on their way: each is shown in its conversation until the server has it and a message carries it. */
import type { CarillonClient } from "@carillon/client";
import { Variable } from "@carillon/client/observable";

export interface Upload {
  ref: string;
  peer: number;
  file: File;
  /** An address of the picture or video itself, to show it before the server has it; null for other files. */
  preview: string | null;
  /** 0 to 1. */
  progress: number;
  error: unknown;
  at: number;
}

/** What browsers show. No SVG: one can carry scripts, and the server takes it as a file too. */
const SHOWN = /^(image\/(png|jpe?g|gif|webp|avif|bmp)|video\/(mp4|webm|quicktime))$/;

export class Uploads {
  readonly all = new Variable<readonly Upload[]>([]);
  readonly #abort = new Map<string, AbortController>();
  /** By object key: the picture and name of what was uploaded here, until its message comes with an address. */
  readonly #local = new Map<string, Upload>();
  #next = 1;

  constructor(private readonly client: CarillonClient) {}

  /** Show the file at once, upload it, and send it. */
  add(peer: number, file: File): void {
    const preview = SHOWN.test(file.type) ? URL.createObjectURL(file) : null;
    const upload = { ref: String(this.#next++), peer, file, preview, progress: 0, error: null, at: Date.now() };
    this.all.set([...this.all.get(), upload]);
    void this.#run(upload);
  }

  retry(ref: string): void {
    const upload = this.all.get().find((one) => one.ref === ref);
    if (!upload) return;
    this.#change(ref, { error: null, progress: 0 });
    void this.#run(upload);
  }

  /** Stop it, or take a failed one away. */
  discard(ref: string): void {
    this.#abort.get(ref)?.abort();
    const upload = this.all.get().find((one) => one.ref === ref);
    if (upload?.preview) URL.revokeObjectURL(upload.preview);
    this.#remove(ref);
  }

  /** What is known here of a message's file, by its content: the object's key, or an address that ends in it. */
  find(content: string): Upload | null {
    if (this.#local.size === 0) return null;
    for (const [key, upload] of this.#local) if (content.includes(key)) return upload;
    return null;
  }

  /** Free the pictures. */
  clear(): void {
    for (const abort of this.#abort.values()) abort.abort();
    for (const one of [...this.all.get(), ...this.#local.values()]) if (one.preview) URL.revokeObjectURL(one.preview);
    this.#local.clear();
    this.all.set([]);
  }

  async #run(upload: Upload): Promise<void> {
    const { ref, peer, file } = upload;
    const abort = new AbortController();
    this.#abort.set(ref, abort);
    try {
      const onProgress = (progress: number): void => this.#change(ref, { progress });
      const { key, content_type } = await this.client.rest.upload(file, { onProgress, signal: abort.signal });
      this.#local.set(key, upload);
      this.#remove(ref);
      // From here on the store shows it, as sending or as failed.
      this.client.store.send(peer, { content: key, content_type }).catch(() => undefined);
    } catch (error) {
      if (!abort.signal.aborted) this.#change(ref, { error });
    } finally {
      this.#abort.delete(ref);
    }
  }

  #change(ref: string, change: Partial<Upload>): void {
    this.all.set(this.all.get().map((one) => (one.ref === ref ? { ...one, ...change } : one)));
  }

  #remove(ref: string): void {
    this.all.set(this.all.get().filter((one) => one.ref !== ref));
  }
}
