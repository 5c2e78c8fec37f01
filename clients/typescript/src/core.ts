/** What every client has below its store: the person, REST and a connection. */
import { Addresses } from "./api/addresses";
import { createRest } from "./api/rest";
import { TokenSource } from "./api/token";
import { OwnSocket } from "./connection/socket-connection";
import type { Platform } from "./platform";
import { createPlatform } from "./platform-default";
import { createSharedConnection } from "./tabs";
import type { ClientOptions, Connection, Me, Rest, SocketConnection } from "./types";

export interface Core {
  platform: Platform;
  tokens: TokenSource;
  me: Me;
  rest: Rest;
  connection: Connection;
}

/** Nothing is asked of anybody yet: not of `getToken`, and not of the server. */
export function createCore(options: ClientOptions): Core {
  const { baseUrl } = options;
  const platform = createPlatform(options.platform);
  const addresses = new Addresses(baseUrl, platform.location);
  const tokens = new TokenSource(options.getToken, () => connection.stop("signed_out"));
  const { me } = tokens;
  const parts = { platform, addresses, tokens };
  const rest = createRest(parts);
  const connect = (since: string | null): SocketConnection => new OwnSocket({ ...parts, rest, since });
  const mayShare = options.shareSocket !== false && platform.locks && platform.BroadcastChannel;
  const connection = mayShare ? createSharedConnection({ baseUrl, platform, me, connect }) : connect(null);
  return { platform, tokens, me, rest, connection };
}
