/** What the inbox remembers of one client while it is open, and the store does not: drafts, files, names, fresh addresses. */
import type { ApiMessage, AppAccount, CarillonClient, Message, Person } from "@carillon/client";
import { Variable } from "@carillon/client/observable";
import { hasEnded } from "./format/files";
import { keyOf } from "./history/rows";
import { Uploads } from "./uploads";

export interface PictureState {
  /** Its own size in pixels once it was loaded: a row that comes into the page again has its height at once. */
  size: readonly [number, number] | null;
  /** Another address was asked for. */
  hasTried: boolean;
  /** It did not load with that one either. */
  isGone: boolean;
}

const UNKNOWN: PictureState = { size: null, hasTried: false, isGone: false };

export class Session {
  readonly uploads: Uploads;
  /** What is written and not sent, by conversation. */
  readonly drafts = new Map<number, string>();
  /** Files that wait in the field for writing, by conversation. */
  readonly attachments = new Map<number, readonly File[]>();
  /** People that were found: their names, for a conversation that is not in the list yet. */
  readonly people = new Map<number, Person>();
  /** Of pictures by their message's key; whoever shows them is told of a change. */
  readonly pictures = new Variable<ReadonlyMap<string, PictureState>>(new Map());
  readonly #addresses = new Map<number, string>();
  #apps: Promise<readonly AppAccount[]> | null = null;

  constructor(readonly client: CarillonClient) {
    this.uploads = new Uploads(client);
  }

  /** The apps that the person can sign on to. Asked for once; again after a failure or with `again`. */
  loadApps(again = false): Promise<readonly AppAccount[]> {
    if (again || this.#apps === null) {
      this.#apps = this.client.rest.listLaunchpadApps();
      this.#apps.catch(() => (this.#apps = null));
    }
    return this.#apps;
  }

  /** Where a message's picture or file is: the newest address that is known. Empty if it is none that may be opened. */
  addressOf(message: Message): string {
    try {
      return this.client.rest.resolve(this.#addresses.get(message.id) ?? message.content);
    } catch {
      return "";
    }
  }

  /** Whether the address has ended, so that another one is needed. */
  isOld(message: Message): boolean {
    return hasEnded(this.addressOf(message), Date.now());
  }

  /** Read the message again, for its address is only good for a while. Rejects with the CarillonError. */
  async refresh(message: Message): Promise<string> {
    const fresh = await this.client.rest.request<ApiMessage>("GET", `/messages/${message.id}`);
    this.#addresses.set(message.id, fresh.content);
    return this.client.rest.resolve(fresh.content);
  }

  pictureOf(message: Message): PictureState {
    return this.pictures.get().get(keyOf(message)) ?? UNKNOWN;
  }

  /** A picture was loaded. */
  notePicture(message: Message, { naturalWidth, naturalHeight }: HTMLImageElement): void {
    const { size } = this.pictureOf(message);
    if (size?.[0] === naturalWidth && size[1] === naturalHeight) return;
    this.#setPicture(message, { size: [naturalWidth, naturalHeight], hasTried: false });
  }

  /** A picture did not load: ask for another address, once; `again` if the person wants it. */
  renewPicture(message: Message, again = false): void {
    if (message.id === 0) return;
    if (this.pictureOf(message).hasTried && !again) {
      this.#setPicture(message, { isGone: true });
      return;
    }
    const before = this.addressOf(message);
    this.#setPicture(message, { hasTried: true });
    this.refresh(message).then(
      // The same address again, and nobody asked for a second try: it will not load either.
      (address) => this.#setPicture(message, { isGone: address === before && !again }),
      () => this.#setPicture(message, { isGone: true }),
    );
  }

  #setPicture(message: Message, change: Partial<PictureState>): void {
    this.pictures.set(new Map(this.pictures.get()).set(keyOf(message), { ...this.pictureOf(message), ...change }));
  }

  end(): void {
    this.uploads.clear();
  }
}

/**
 * Open a tab in the click itself, and send it to the address when that is there: browsers block a tab that is opened later.
 * Without one the same tab goes there. Rejects as `getAddress` does; the blank tab is closed then.
 */
export async function openLater(getAddress: () => Promise<string>): Promise<void> {
  const tab = window.open("about:blank", "_blank");
  if (tab) tab.opener = null;
  try {
    const address = await getAddress();
    if (tab) tab.location.replace(address);
    else window.location.assign(address);
  } catch (error) {
    tab?.close();
    throw error;
  }
}
