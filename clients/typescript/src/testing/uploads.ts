/** The files of the fake server, in memory. */
import { refuse, invalid } from "./problems";
import type { Upload } from "./rules";

interface Announced {
  owner: number;
  filename: string;
  size: number;
  content_type: string;
}

interface Kept extends Announced {
  bytes: Blob | null;
}

export class Uploads {
  readonly #kept = new Map<string, Kept>();

  /** The key of an object that may be uploaded now. */
  announce(announced: Announced): string {
    const extension = /\.([a-z0-9]{1,8})$/.exec(announced.filename.toLowerCase())?.[0] ?? "";
    const key = `u${announced.owner}/${String(this.#kept.size + 1).padStart(32, "0")}${extension}`;
    this.#kept.set(key, { ...announced, bytes: null });
    return key;
  }

  find(key: string): Upload | undefined {
    const kept = this.#kept.get(key);
    return kept && { owner: kept.owner, filename: kept.filename, isThere: kept.bytes !== null };
  }

  async put(key: string, body: Blob): Promise<Response> {
    const kept = this.#get(key);
    if (kept.bytes) throw refuse("ALREADY_UPLOADED", "The object was uploaded before.");
    if (body.size > kept.size) throw refuse("UPLOAD_TOO_LARGE", "The upload is larger than was announced.");
    if (body.size < kept.size) throw invalid("body", "The upload is shorter than was announced.", { code: "UPLOAD_INCOMPLETE" });
    kept.bytes = body;
    return new Response(null, { status: 204 });
  }

  get(key: string): Response {
    const { bytes, content_type, filename } = this.#get(key);
    if (!bytes) throw refuse("UNKNOWN_OBJECT", "There is no such object.");
    const disposition = `inline; filename*=UTF-8''${encodeURIComponent(filename)}`;
    return new Response(bytes, { headers: { "Content-Type": content_type, "Content-Disposition": disposition } });
  }

  #get(key: string): Kept {
    const kept = this.#kept.get(key);
    if (!kept) throw refuse("LINK_NOT_VALID", "The link's signature is not valid.");
    return kept;
  }
}
