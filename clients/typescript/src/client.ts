/** The client: what its users hold in their hands. */
import { createOpenAction } from "./actions";
import { createCore } from "./core";
import { createStore } from "./store";
import type { CarillonClient, ClientOptions } from "./types";

/**
 * Make a client of one person. It does nothing until `start`, or until it is asked for something; making one where there is
 * no `window` is fine.
 */
export function createClient(options: ClientOptions): CarillonClient {
  const { platform, tokens, me, rest, connection } = createCore(options);
  return {
    me,
    rest,
    connection,
    store: createStore({ rest, connection, platform, me }),
    start() {
      tokens.reset();
      connection.start();
    },
    stop: () => connection.stop(),
    openAction: createOpenAction({ platform, rest }),
  };
}
