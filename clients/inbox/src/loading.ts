/** Whether something is on its way, or was never asked for yet: an empty list is only said to be empty when that is known. */
import type { CarillonClient } from "@carillon/client";

interface Loadable {
  items: readonly unknown[];
  isLoading: boolean;
  error: unknown;
}

export class LoadingState {
  #wasLoading = false;
  #hasLoaded = false;

  /** Whether to show that something comes. Ask at every drawing: what was loading before and is not now has come. */
  isAwaited(client: CarillonClient, { items, isLoading, error }: Loadable): boolean {
    if (items.length > 0 || error || (this.#wasLoading && !isLoading)) this.#hasLoaded = true;
    this.#wasLoading = isLoading;
    if (isLoading) return true;
    // Nothing is fetched before the first socket is open, or is known to be out of reach.
    return !this.#hasLoaded && ["idle", "connecting"].includes(client.connection.state.get().status);
  }
}
