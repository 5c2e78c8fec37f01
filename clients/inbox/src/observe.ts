/** Ties an element to the client's observables: it is drawn anew when one of them changes, as long as it is in the page. */
import type { Observable } from "@carillon/client";
import type { ReactiveController, ReactiveControllerHost } from "lit";

const MINUTE = 60_000;

/** Draws an element anew once a minute while the page is visible, and when it becomes so: what it says of the time gets old. */
export class EveryMinute implements ReactiveController {
  #timer = 0;

  constructor(private readonly host: ReactiveControllerHost) {
    host.addController(this);
  }

  hostConnected(): void {
    document.addEventListener("visibilitychange", this.#draw);
    this.#timer = window.setInterval(this.#draw, MINUTE);
  }

  hostDisconnected(): void {
    document.removeEventListener("visibilitychange", this.#draw);
    window.clearInterval(this.#timer);
  }

  #draw = (): void => {
    if (document.visibilityState === "visible") this.host.requestUpdate();
  };
}

export class Watch implements ReactiveController {
  #ends: (() => void)[] = [];
  #watched: readonly Observable<unknown>[] = [];
  #connected = false;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly onChange: () => void = () => this.host.requestUpdate(),
  ) {
    host.addController(this);
  }

  /** Follow these from now on, instead of those before. */
  set(observables: readonly Observable<unknown>[]): void {
    this.#end();
    this.#watched = observables;
    if (this.#connected) this.#begin();
  }

  hostConnected(): void {
    this.#connected = true;
    this.#begin();
  }

  hostDisconnected(): void {
    this.#connected = false;
    this.#end();
  }

  #begin(): void {
    this.#ends = this.#watched.map((one) => one.subscribe(this.onChange));
  }

  #end(): void {
    for (const end of this.#ends) end();
    this.#ends = [];
  }
}
