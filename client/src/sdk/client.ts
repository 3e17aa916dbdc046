import { v7 } from "uuid";
import { Api, ApiError } from "./engine/api";
import { SYSTEM_CLOCK } from "./engine/clock";
import { Engine } from "./engine/engine";
import type { OutboxStorage } from "./engine/model";
import { SUBPROTOCOL, type WebSocketLike } from "./engine/socket";
import { Feed, type Listener } from "./feed";
import type { ClientId, ConversationId, Message, User, UserId } from "./protocol/generated";
import type { State } from "./store/state";
import { createStore, type Store } from "./store/store";

/** A WebSocket that can be given headers, as that of the package `ws` can. */
export type WebSocketWithHeaders = new (
  url: string,
  protocol: string,
  options: { readonly headers: Readonly<Record<string, string>> },
) => WebSocketLike;

export interface Options {
  /** The address of the server, such as `https://chat.example.org`. */
  readonly url: string;
  /** A new name becomes this program's; one in use needs its password. */
  readonly name: string;
  /** 8 to 128 characters. Without one the name can never be entered again. */
  readonly password: string;
  readonly WebSocket: WebSocketWithHeaders;
  /** Where what is not sent yet is kept; by default, only in memory. */
  readonly storage?: OutboxStorage;
}

/** An outbox that ends with the process: the engine holds what is written, nothing else does. */
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
  const headers = { Authorization: `Bearer ${token}` };
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
    newId: () => v7(),
    timestamp: () => new Date().toISOString(),
    incoming: () => {},
  });
  await engine.start();
  return new Client(user, store, engine, api);
}

/** Somebody who is logged in and stays connected, through whatever happens, until `close`. */
export class Client {
  constructor(
    /** Who this is. */
    readonly me: User,
    /** Everything known; `subscribe` tells of changes. */
    readonly store: Store,
    /** Everything that a user can do. */
    readonly engine: Engine,
    private readonly api: Api,
  ) {}

  /**
   * Calls back with every message of others, in order, each once: those that were
   * not read yet, and those to come. What the listener has returned from (a promise:
   * what it resolved) counts as read.
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
   * Sends a message, however long that takes; rejects with an `ApiError` when it is refused,
   * and with another error when this has `ended` before there was an answer.
   */
  async send(conversation: ConversationId, body: string): Promise<Message> {
    const clientId = this.engine.write(conversation, body);
    const outcome = await until(this.store, (state) => outcomeOf(state, conversation, clientId));
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }

  /** The conversation with somebody, new or not; rejects with an `ApiError`. */
  async conversationWith(user: UserId): Promise<ConversationId> {
    const opened = await this.engine.openWith(user);
    if (opened instanceof ApiError) throw opened;
    return opened;
  }

  /** Who is online and has a name that begins like this. */
  async peopleOnline(name = ""): Promise<readonly User[]> {
    return (await this.engine.searchPeople(name, null)).users;
  }

  /** Resolves when the server has ended this for good, or `close` has. */
  async ended(): Promise<void> {
    await until(this.store, hasEnded);
  }

  /** Closes the connection. The session stays. */
  close(): void {
    this.engine.stop();
  }

  /** Unread messages may be in conversations that were written in long ago. */
  private async listAll(): Promise<void> {
    let asked: string | null = null;
    for (;;) {
      const more = ({ listed, moreChats }: State) => listed && moreChats !== asked && moreChats;
      asked = await until(this.store, more);
      await this.engine.loadMoreChats();
    }
  }
}

function hasEnded({ stage, ending }: State): boolean {
  return stage.kind === "anonymous" || ending !== null;
}

/** What has become of a message that was sent; `null`: it is on its way. */
function outcomeOf(
  state: State,
  conversation: ConversationId,
  clientId: ClientId,
): Message | Error | null {
  if (hasEnded(state)) return new Error("This has ended before there was an answer.");
  const { outbox, logs } = state;
  const entry = outbox.entries.find((one) => one.clientId === clientId);
  if (entry?.code !== undefined) return new ApiError(entry.code, entry.reason ?? entry.code);
  const own = (message: Message) => message.client_id === clientId;
  const log = logs.get(conversation);
  return log?.messages.findLast(own) ?? [...(log?.aside.values() ?? [])].find(own) ?? null;
}

/** Waits until there is something to be found in the state. */
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
