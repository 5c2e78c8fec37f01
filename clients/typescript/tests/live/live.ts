/** What a test of `tests/live` or `tests/browser` has of the live stack. */
import { inject } from "vitest";
import type { LivePerson } from "./live-stack";

export const live = {
  get url(): string {
    return inject("liveAbout").url;
  },
  get app() {
    return inject("liveAbout").app;
  },
  get people(): LivePerson[] {
    return inject("liveAbout").people;
  },
  /** Have the stack do something: a name of `_COMMANDS` in `tests/clients/live_stack.py`, and its arguments. */
  async do<T = null>(command: string, options: Record<string, unknown> = {}): Promise<T> {
    const answer = await fetch(inject("liveCommands"), { method: "POST", body: JSON.stringify({ command, options }) });
    const { ok, error } = (await answer.json()) as { ok?: T; error?: string };
    if (error !== undefined) throw new Error(error);
    return ok as T;
  },
  /** A person whom no other test uses. */
  newPerson: (name = "新人") => live.do<LivePerson>("new_person", { name }),
};
