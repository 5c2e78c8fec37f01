/** The running stack that tests talk to (`tests/clients/live_stack.py`), from its start to its end. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const OWN_PYTHON = `${ROOT}.venv/bin/python`;

export interface LivePerson {
  id: number;
  name: string;
  token: string;
}

/** What the stack says of itself when it is ready. */
export interface LiveAbout {
  url: string;
  people: LivePerson[];
  app: { app_id: string; id: number; secret: string };
}

export class LiveStack {
  readonly about: LiveAbout;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(process: ChildProcessWithoutNullStreams, lines: AsyncIterator<string>, about: LiveAbout) {
    this.#process = process;
    this.#lines = lines;
    this.about = about;
  }

  /** Start one; rejects with what it said if it cannot start. */
  static async start(environment: Record<string, string> = {}): Promise<LiveStack> {
    const python = process.env["PYTHON"] ?? (existsSync(OWN_PYTHON) ? OWN_PYTHON : "python3");
    const started = spawn(python, ["-m", "tests.clients.live_stack"], {
      cwd: ROOT,
      env: { ...process.env, ...environment },
    });
    let errors = "";
    started.stderr.on("data", (text) => (errors += String(text)));
    const reader: Interface = createInterface({ input: started.stdout });
    const lines = reader[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done) throw new Error(`The live stack did not start:\n${errors}`);
    return new LiveStack(started, lines, JSON.parse(first.value) as LiveAbout);
  }

  /** Have it do something, and give what that gave; commands of several callers follow one another. */
  do<T = null>(command: string, options: Record<string, unknown> = {}): Promise<T> {
    const result = this.#last.then(() => this.#ask<T>({ do: command, ...options }));
    this.#last = result.catch(() => {});
    return result;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.stdin.end();
    await ended;
  }

  async #ask<T>(command: Record<string, unknown>): Promise<T> {
    this.#process.stdin.write(`${JSON.stringify(command)}\n`);
    const line = await this.#lines.next();
    if (line.done) throw new Error("The live stack has ended.");
    const answer = JSON.parse(line.value) as { ok?: T; error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.ok as T;
  }
}
