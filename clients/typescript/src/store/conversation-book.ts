/**
 * The conversation list and the number for the badge.
 *
 * Frames change the lines at once. Where a frame leaves a doubt (a conversation that is not loaded, a fetch that may or may
 * not have had the message), the list is read again a moment later, so that at rest it is what a fetch gives.
 */
import { CarillonError } from "../api/errors";
import type { Frame, PushedMessage } from "../api/generated/frames";
import { Variable } from "../observable";
import type { ApiConversation, ConversationList } from "../types";
import { type StoreContext, Retry } from "./context";
import { addMessage, find, isOutdated, type Lines, put, setUnread, sumUnread } from "./lines";
import { LARGEST_LIST_PAGE, PAGE } from "./sizes";

/** After a doubt: several frames come together. */
const SOON = 100;
/** What is shown is right but for a rare race between two processes, or frames keep coming: this is to be sure. */
const LATER = 1_000;

export class ConversationBook {
  readonly view = new Variable<ConversationList>({ items: [], hasMore: false, isLoading: false, error: null });
  readonly unread = new Variable(0);
  readonly #context: StoreContext;
  readonly #retry: Retry;
  #lines: Lines = [];
  /** Unread messages in conversations that are not loaded. */
  #hidden = 0;
  #wanted = PAGE;
  #isLoaded = false;
  #hasMore = false;
  #isLoading = false;
  #error: CarillonError | null = null;
  /** Frames that changed the list, or could have: a fetch during which one came is repeated. */
  #changes = 0;
  #running: Promise<void> | null = null;
  #planned: { at: number; end: () => void } | null = null;

  constructor(context: StoreContext) {
    this.#context = context;
    this.#retry = new Retry(context.platform, () => void this.reload());
  }

  /** Read everything that is loaded again, until no frame comes in between. */
  reload(): Promise<void> {
    this.#changes += 1;
    this.#unplan();
    this.#running ??= this.#context.activity.track(() => this.#load()).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async loadMore(): Promise<void> {
    if (this.#isLoaded && this.#hasMore) this.#wanted = this.#lines.length + PAGE;
    else if (this.#isLoaded && !this.#error) return;
    this.#isLoading = true;
    this.#show();
    await this.reload();
  }

  take(frame: Frame): void {
    this.#changes += 1;
    switch (frame.type) {
      case "NEW_MESSAGE":
        return this.#takeMessage(frame.data);
      case "MESSAGE_UPDATED": {
        const line = find(this.#lines, frame.data.conversation_id);
        return line && isOutdated(line, frame.data) ? this.#plan(SOON) : undefined;
      }
      case "CONVERSATION_READ":
        this.#lines = setUnread(this.#lines, frame.data.conversation_id, frame.data.unread_count);
        this.#show();
        return this.#plan(LATER);
      case "ALL_READ":
      case "MESSAGE_RECALLED":
        return this.#plan(SOON);
    }
  }

  /** What was read here, but no frame tells so: nobody is connected. */
  doubt(): void {
    this.#plan(SOON);
  }

  #takeMessage(given: PushedMessage): void {
    const form = this.#context.forms.get(given.id);
    const data = form && form.version > given.version ? form : given;
    const line = find(this.#lines, data.conversation_id);
    const after = line && addMessage(line, data, this.#context.person());
    if (!after) return this.#plan(SOON);
    this.#lines = put(this.#lines, after);
    this.#show();
  }

  async #load(): Promise<void> {
    this.#isLoading ||= !this.#isLoaded;
    this.#error = null;
    this.#show();
    try {
      for (;;) {
        const seen = this.#changes;
        const found = await this.#fetch();
        const isExact = seen === this.#changes;
        if (isExact || this.#isLoading) this.#accept(found);
        if (isExact) break;
        await new Promise<void>((resolve) => this.#context.platform.after(LATER, resolve));
      }
      this.#retry.clear();
    } catch (error) {
      if (!(error instanceof CarillonError)) throw error;
      this.#error = error;
      this.#retry.plan(error);
    } finally {
      this.#isLoading = false;
      this.#show();
    }
  }

  async #fetch(): Promise<{ lines: Lines; hidden: number; hasMore: boolean }> {
    const { rest } = this.#context;
    const found = new Map<number, ApiConversation>();
    let cursor: string | null = null;
    do {
      const limit = Math.min(LARGEST_LIST_PAGE, Math.max(1, this.#wanted - found.size));
      const page: { items: ApiConversation[]; cursor: string | null } = await rest.listConversations({ limit, cursor });
      for (const line of page.items) {
        // One that moved up meanwhile comes again, and counts as it came last.
        found.delete(line.user_id);
        found.set(line.user_id, line);
      }
      cursor = page.cursor;
    } while (cursor !== null && found.size < this.#wanted);
    const lines = [...found.values()];
    const hidden = cursor === null ? 0 : Math.max(0, (await rest.getUnreadCount()) - sumUnread(lines));
    return { lines, hidden, hasMore: cursor !== null };
  }

  #accept({ lines, hidden, hasMore }: { lines: Lines; hidden: number; hasMore: boolean }): void {
    this.#lines = lines;
    this.#hidden = hidden;
    this.#hasMore = hasMore;
    this.#isLoaded = true;
    this.#isLoading = false;
    this.#show();
  }

  /** Read again after so many milliseconds, or sooner if that is planned. While something is read, it is repeated anyway. */
  #plan(delay: number): void {
    if (this.#running) return;
    const { platform, activity } = this.#context;
    const at = platform.now() + delay;
    if (this.#planned && this.#planned.at <= at) return;
    this.#unplan();
    const over = activity.begin();
    const cancel = platform.after(delay, () => {
      this.#planned = null;
      void this.reload().finally(over);
    });
    this.#planned = {
      at,
      end: () => {
        cancel();
        over();
      },
    };
  }

  #unplan(): void {
    this.#planned?.end();
    this.#planned = null;
  }

  #show(): void {
    this.view.update({ items: this.#lines, hasMore: this.#hasMore, isLoading: this.#isLoading, error: this.#error });
    this.unread.set(sumUnread(this.#lines) + this.#hidden);
  }
}
