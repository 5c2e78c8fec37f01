"use client";

/**
 * `@carillon/client/react`: the client's observables as hooks, for React 18 and later.
 *
 * While a server renders, and in a page's first render after that, hooks give what is known before the first answer, so that
 * both agree: empty lists that are loading, nothing unread, a connection that is idle.
 */
import type { CarillonClient, ConnectionState, ConversationList, History, Observable } from "@carillon/client";
import { createContext, createElement, type ReactNode, useCallback, useContext, useEffect, useSyncExternalStore } from "react";

const ClientContext = createContext<CarillonClient | null>(null);

const NO_CONVERSATIONS: ConversationList = { items: [], hasMore: false, isLoading: true, error: null };
const NO_HISTORY: History = { items: [], hasOlder: false, isLoading: true, error: null };
const IDLE: ConnectionState = { status: "idle" };

/** How many providers hold a client. */
const holders = new WeakMap<CarillonClient, number>();

export interface CarillonProviderProps {
  /** Made outside of rendering, and the same one from render to render; another person needs another client. */
  client: CarillonClient;
  children?: ReactNode;
}

/** Gives the hooks below it their client, which is started while this is mounted and stopped after the last one is gone. */
export function CarillonProvider({ client, children }: CarillonProviderProps): ReactNode {
  useEffect(() => hold(client), [client]);
  return createElement(ClientContext.Provider, { value: client }, children);
}

/** The client of the nearest provider. Throws if there is none. */
export function useClient(): CarillonClient {
  const client = useContext(ClientContext);
  if (client) return client;
  throw new Error("There is no <CarillonProvider client={…}> above this component.");
}

/** The person's conversations, newest first. */
export function useConversations(): ConversationList {
  return useObservable(useClient().store.conversations, NO_CONVERSATIONS);
}

/** A conversation's history, oldest first, which is loaded and kept up to date while the component is mounted. */
export function useHistory(peer: number): History {
  const { store } = useClient();
  useEffect(() => store.open(peer), [store, peer]);
  return useObservable(store.history(peer), NO_HISTORY);
}

/** How many messages are unread, of all conversations. */
export function useUnreadCount(): number {
  return useObservable(useClient().store.unreadCount, 0);
}

/** Whether the client is connected, and if not, why and until when. */
export function useConnectionState(): ConnectionState {
  return useObservable(useClient().connection.state, IDLE);
}

/** The value of an observable; `first` while a server renders, and until the page's first render after that is done. */
function useObservable<T>(observable: Observable<T>, first: T): T {
  const subscribe = useCallback((listener: () => void) => observable.subscribe(listener), [observable]);
  return useSyncExternalStore(
    subscribe,
    () => observable.get(),
    () => first,
  );
}

/** Start a client; what is returned lets it go. StrictMode mounts twice at once: the client is not stopped in between. */
function hold(client: CarillonClient): () => void {
  holders.set(client, (holders.get(client) ?? 0) + 1);
  client.start();
  return () => {
    holders.set(client, (holders.get(client) ?? 1) - 1);
    queueMicrotask(() => {
      if (holders.get(client) !== 0) return;
      holders.delete(client);
      client.stop();
    });
  };
}
