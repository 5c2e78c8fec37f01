/** An application with every hook, and a client whose values a test sets. It is rendered in Node and in a page. */
import { Variable } from "../../src/observable";
import {
  CarillonProvider,
  useClient,
  useConnectionState,
  useConversations,
  useHistory,
  useUnreadCount,
} from "../../src/react";
import type { CarillonClient, ConnectionState, ConversationList, History } from "../../src/types";

export class FakeClient {
  readonly conversations = new Variable<ConversationList>({ items: [], hasMore: false, isLoading: false, error: null });
  readonly unreadCount = new Variable(0);
  readonly state = new Variable<ConnectionState>({ status: "idle" });
  readonly histories = new Map<number, Variable<History>>();
  /** What was asked of it, in order. */
  readonly calls: string[] = [];
  /** Which histories are held open, and how often. */
  readonly open = new Map<number, number>();

  readonly client = {
    start: () => void this.calls.push("start"),
    stop: () => void this.calls.push("stop"),
    connection: { state: this.state },
    store: {
      conversations: this.conversations,
      unreadCount: this.unreadCount,
      history: (peer: number) => this.history(peer),
      open: (peer: number) => this.#hold(peer),
    },
  } as unknown as CarillonClient;

  history(peer: number): Variable<History> {
    const found = this.histories.get(peer) ?? new Variable<History>({ items: [], hasOlder: false, isLoading: false, error: null });
    this.histories.set(peer, found);
    return found;
  }

  #hold(peer: number): () => void {
    this.open.set(peer, (this.open.get(peer) ?? 0) + 1);
    return () => void this.open.set(peer, (this.open.get(peer) ?? 0) - 1);
  }
}

export function App({ client, peer }: { client: CarillonClient; peer: number }) {
  return (
    <CarillonProvider client={client}>
      <Values peer={peer} />
    </CarillonProvider>
  );
}

function Values({ peer }: { peer: number }) {
  const [conversations, history, unread, state] = [useConversations(), useHistory(peer), useUnreadCount(), useConnectionState()];
  const words = [
    state.status,
    `${unread} unread`,
    conversations.isLoading ? "loading" : `${conversations.items.length} conversations`,
    `history of ${peer}: ${history.isLoading ? "loading" : history.items.length}`,
    typeof useClient().start,
  ];
  return <p>{words.join(", ")}</p>;
}
