/** What every client has below its store: the person, REST and a connection. */
import { Addresses } from "./api/addresses";
import { createRest } from "./api/rest";
import { TokenSource } from "./api/token";
import { OwnSocket } from "./connection/socket-connection";
import type { Platform } from "./platform";
import { createPlatform } from "./platform-default";
import type { ClientOptions, Connection, Me, Rest } from "./types";

export interface Core {
  platform: Platform;
  addresses: Addresses;
  tokens: TokenSource;
  me: Me;
  rest: Rest;
  connection: Connection;
}

/** Nothing is asked of anybody yet: not of `getToken`, and not of the server. */
export function createCore(options: ClientOptions): Core {
  const platform = createPlatform(options.platform);
  const addresses = new Addresses(options.baseUrl, platform.location);
  const tokens = new TokenSource(options.getToken, () => connection.stop("signed_out"));
  const rest = createRest({ platform, addresses, tokens });
  const connection: Connection = new OwnSocket({ platform, addresses, rest, tokens, since: null });
  return { platform, addresses, tokens, me: tokens.me, rest, connection };
}
