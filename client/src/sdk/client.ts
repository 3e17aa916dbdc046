import { v7 } from "uuid";
import { Api, ApiError } from "./connection/api";
import { SYSTEM_CLOCK } from "./connection/clock";
import type { WebSocketLike } from "./connection/socket";
import { Engine } from "./engine/engine";
import type { OutboxStorage } from "./engine/ports";
import { Feed, type Listener } from "./feed";
import {
  type ClientId,
  type ConversationId,
  SUBPROTOCOL,
  type User,
  type UserId,
} from "./protocol/generated";
import { isMessage, type Message } from "./protocol/message";
import type { State } from "./store/state";
import { createStore, type Store } from "./store/store";
import type { Log } from "./timeline/log";
import { pinnedIn } from "./timeline/pins";

/** A WebSocket that takes headers, such as that of the package `ws`. */
export type WebSocketWithHeaders = new (
  url: string,
  protocol: string,
  options: { readonly headers: Readonly<Record<string, string>> },
) => WebSocketLike;

export interface Options {
  /** The address of the server, such as `https://chat.example.org`. */
  readonly url: string;
  /** A new name becomes this program's; an existing one needs its password. */
  readonly name: string;
  /** 8 to 128 characters. Without one the name can never be entered again. */
  readonly password: string;
  readonly WebSocket: WebSocketWithHeaders;
  /** Where unsent messages are stored; by default, only in memory. */
  readonly storage?: OutboxStorage;
}

/** An outbox that ends with the process: nothing is stored outside of the engine. */
const MEMORY_OUTBOX: OutboxStorage = {
  put: async () => {},
  delete: async () => {},
  adopt: async () => [],
  clear: async () => {},
};

/** Logs in and connects; rejects with an `ApiError` when the log-in is refused. */
export async function connect(options: Options): Promise<Client> {
  const { url, name, password, WebSocket, storage = MEMORY_OUTBOX } = options;
  const at = (path: string) => new URL(path, url);
  const stranger = new Api((path, init) => fetch(at(path), init));
  const { user, token } = await stranger.logIn({ name, password, bearer: true });
  let headers = { Authorization: `Bearer ${token}` };
  const api = new Api((path, init) =>
    fetch(at(path), { ...init, headers: { ...init.headers, ...headers } }),
  );
  const socketUrl = at("/api/socket").href.replace(/^http/, "ws");
  const store = createStore();
  const engine = new Engine({
    store,
    api,
    storage,
    clock: SYSTEM_CLOCK,
    openWebSocket: () => new WebSocket(socketUrl, SUBPROTOCOL, { headers }),
    renewed: (token) => {
      headers = { Authorization: `Bearer ${token}` };
    },
    newId: () => v7(),
    timestamp: () => new Date().toISOString(),
    incoming: () => {},
  });
  await engine.start();
  return new Client(user, store, engine, api);
}

/** A logged-in user who stays connected, whatever happens, until `close`. */
export class Client {
  constructor(
    /** Who this is. */
    readonly me: User,
    /** The whole state; `subscribe` notifies of changes. */
    readonly store: Store,
    /** Everything that a user can do. */
    readonly engine: Engine,
    private readonly api: Api,
  ) {}

  /**
   * Calls back with every message of others, in order, each once: unread ones,
   * and those to come. A message counts as read when the listener has returned (or its
   * promise has resolved).
   */
  onMessage(listener: Listener): void {
    const { store, api, engine } = this;
    const seen = (conversation: ConversationId, seq: number) => engine.seen(conversation, seq);
    const feed = new Feed({ store, api, seen }, listener);
    store.subscribe(() => feed.look());
    feed.look();
    void this.listAll();
  }

  /**
   * Sends a message, however long that takes. Rejects with an `ApiError` if it is refused,
   * and with another error if the client has `ended` before there was an answer.
   */
  async send(conversation: ConversationId, body: string): Promise<Message> {
    const clientId = this.engine.write(conversation, body);
    const outcome = await until(this.store, (state) => outcomeOf(state, conversation, clientId));
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }

  /** Pins the message with this number, for everybody. Resolves and rejects as `send` does. */
  pin(conversation: ConversationId, seq: number): Promise<void> {
    return this.setPinned(conversation, seq, true);
  }

  /** Unpins a message. Resolves and rejects as `send` does. */
  unpin(conversation: ConversationId, seq: number): Promise<void> {
    return this.setPinned(conversation, seq, false);
  }

  /** The numbers of the pinned messages of a conversation, the one pinned first in front. */
  pinned(conversation: ConversationId): readonly number[] {
    const log = this.store.get().logs.get(conversation);
    return log === undefined ? [] : pinnedIn(log.pins);
  }

  /** Calls back with the pinned messages of a conversation after each change of them. */
  onPins(listener: (conversation: ConversationId, pinned: readonly number[]) => void): void {
    let before = this.store.get().logs;
    this.store.subscribe(() => {
      const { logs } = this.store.get();
      const changed = [...logs].filter(([id, log]) => hasOtherPins(log, before.get(id)));
      before = logs;
      for (const [id, { pins }] of changed) listener(id, pinnedIn(pins));
    });
  }

  /** The id of the conversation with somebody, created if there is none; rejects with an `ApiError`. */
  async conversationWith(user: UserId): Promise<ConversationId> {
    const opened = await this.engine.openWith(user);
    if (opened instanceof ApiError) throw opened;
    return opened;
  }

  /** The users online who have a word in their name that begins like this. */
  async peopleOnline(name = ""): Promise<readonly User[]> {
    return (await this.engine.searchPeople(name, null)).users;
  }

  /** Resolves when the connection has ended for good, by the server or by `close`. */
  async ended(): Promise<void> {
    await until(this.store, hasEnded);
  }

  /** Closes the connection. The session stays. */
  close(): void {
    this.engine.stop();
  }

  private async setPinned(conversation: ConversationId, seq: number, on: boolean): Promise<void> {
    const clientId = this.engine.pin(conversation, seq, on);
    const outcome = await until(this.store, (state) => changeOutcomeOf(state, clientId));
    if (outcome instanceof Error) throw outcome;
  }

  /** Loads all conversations: those that were last active long ago may have unread messages, too. */
  private async listAll(): Promise<void> {
    let asked: string | null = null;
    for (;;) {
      const more = ({ listed, moreConversations }: State) =>
        listed && moreConversations !== asked && moreConversations;
      asked = await until(this.store, more);
      await this.engine.loadMoreConversations();
    }
  }
}

function hasEnded({ auth, closeReason }: State): boolean {
  return auth.kind === "anonymous" || closeReason !== null;
}

/** The outcome of a message that was sent; `null` while it is on its way. */
function outcomeOf(
  state: State,
  conversation: ConversationId,
  clientId: ClientId,
): Message | Error | null {
  if (hasEnded(state)) return new Error(UNANSWERED);
  const { outbox, logs } = state;
  const entry = outbox.entries.find((one) => one.clientId === clientId);
  if (entry?.code !== undefined) return new ApiError(entry.code, entry.reason ?? entry.code);
  const own = (message: Message) => message.client_id === clientId;
  const log = logs.get(conversation);
  const beyond = [...(log?.outOfOrder.values() ?? [])].filter(isMessage);
  return log?.messages.findLast(own) ?? beyond.find(own) ?? null;
}

/** The outcome of a change: `true` once it is stored; `null` while it is on its way. */
function changeOutcomeOf(state: State, clientId: ClientId): true | Error | null {
  if (hasEnded(state)) return new Error(UNANSWERED);
  const { entries, refused } = state.outbox;
  if (refused?.clientId === clientId) return new ApiError(refused.code, refused.reason);
  return entries.some((entry) => entry.clientId === clientId) ? null : true;
}

const UNANSWERED = "This has ended before there was an answer.";

function hasOtherPins(log: Log, before: Log | undefined): boolean {
  if (log === before) return false;
  return pinnedIn(log.pins).join() !== (before ? pinnedIn(before.pins).join() : "");
}

/** Resolves once `find` finds something in the state. */
function until<T>(store: Store, find: (state: State) => T | null | false): Promise<T> {
  return new Promise((resolve) => {
    const look = () => {
      const found = find(store.get());
      if (found === null || found === false) return;
      end();
      resolve(found);
    };
    const end = store.subscribe(look);
    look();
  });
}
