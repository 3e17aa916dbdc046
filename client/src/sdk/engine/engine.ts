import type {
  ClientFrame,
  ClientId,
  ConversationId,
  Message,
  People,
  ServerFrame,
  Synced,
  UserId,
  Welcome,
} from "../protocol/generated";
import type { ApiError } from "./api";
import { Connection } from "./connection";
import { cursorsOf } from "./cursors";
import { Idle } from "./idle";
import { Incoming } from "./incoming";
import { Keeping, NOTHING_KEPT } from "./keeping";
import { Loading } from "./loading";
import { hasGap, type Log, newestOfOthers } from "./log";
import type { EngineEvent, StateStore } from "./model";
import { Others } from "./others";
import type { Entry } from "./outbox";
import type { Ports } from "./ports";
import { Receipts } from "./receipts";
import type { Ending } from "./reconnect";
import { Sending } from "./sending";
import { refusal, SessionKeeper } from "./session";
import { Watching } from "./watching";

/** After a connection, when pages that are gone are looked for a second time. */
const ADOPT_AGAIN_MS = 5_000;

/**
 * Follows the protocol for one page: keeps the connection, the logs and the
 * outbox, and answers what the user does. All state is in the store.
 */
export class Engine {
  /** Logging in and out, passwords. */
  readonly session: SessionKeeper;
  private readonly store: StateStore;
  private readonly connection: Connection;
  private readonly sending: Sending;
  private readonly loading: Loading;
  private readonly receipts: Receipts;
  private readonly watching: Watching;
  private readonly incoming: Incoming;
  private readonly keeping: Keeping;
  private readonly idle: Idle;
  private readonly others: Others;
  /** Whether the replay of this connection is over. */
  private synced = false;
  /** Whether the page began with what was kept, and has not caught up yet. */
  private recalled = false;
  private readonly typedAt = new Map<ConversationId, number>();

  constructor(private readonly ports: Ports) {
    const { store, api, storage, clock, kept = NOTHING_KEPT } = ports;
    const send = (frame: ClientFrame) => this.connection.send(frame);
    const dispatch = (event: EngineEvent) => this.dispatch(event);
    this.store = store;
    this.sending = new Sending(store, storage, clock, send, dispatch);
    this.keeping = new Keeping(store, kept, clock);
    this.session = new SessionKeeper(store, api, storage, this.keeping, clock, dispatch, {
      begun: (me) => this.begin(me),
      ended: () => this.end(),
    });
    this.loading = new Loading(store, api, clock, dispatch, () => this.session.lost());
    this.receipts = new Receipts(clock, () => store.get().limits.receipt_interval_ms, send);
    this.watching = new Watching(store, clock, send);
    this.idle = new Idle(clock, (idle) => this.connection.send({ type: "activity", idle }));
    this.others = new Others(store, clock, ports.timestamp, dispatch);
    this.incoming = new Incoming(store, (message, missed) => this.announce(message, missed));
    this.connection = new Connection(ports.openWebSocket, clock, {
      opened: () => this.hello(),
      received: (frame) => this.onFrame(frame),
      lost: (ending) => this.onLost(ending),
      admitted: () => this.session.admitted(),
      attempting: () => this.dispatch({ type: "link", link: "connecting", ending: null }),
    });
  }

  /** Takes up the session that this browser may hold. */
  start(): Promise<void> {
    return this.session.resume();
  }

  /** The conversation with somebody, new or not. */
  async openWith(user: UserId): Promise<ConversationId | ApiError> {
    try {
      const conversation = await this.ports.api.openConversation(user);
      this.dispatch({ type: "conversation", conversation });
      return conversation.id;
    } catch (error) {
      return refusal(error);
    }
  }

  /** People online by the beginning of their names; rejects with an `ApiError`. */
  searchPeople(q: string, after: string | null): Promise<People> {
    return this.ports.api.onlinePeople(q, after);
  }

  /** People by the beginning of their names, here or not; rejects with an `ApiError`. */
  findPeople(q: string): Promise<People> {
    return this.ports.api.people(q);
  }

  /** Brings a conversation to the front, or none. */
  show(conversation: ConversationId | null): void {
    this.dispatch({ type: "opened", conversation });
    if (conversation === null || this.me() === null) return;
    const { chats, link } = this.store.get();
    // Also one that is known: what the others have read since may have passed this page by.
    if (link === "open" || !chats.has(conversation)) void this.loading.describe(conversation);
    this.watching.refresh();
  }

  loadOlder(conversation: ConversationId): Promise<void> {
    return this.loading.older(conversation);
  }

  loadMoreChats(): Promise<void> {
    return this.loading.listMore();
  }

  /** Takes a message over: it is sent when it can be, and resent until it is answered. */
  write(conversation: ConversationId, body: string): ClientId {
    const { newId, timestamp } = this.ports;
    const entry: Entry = {
      clientId: newId(),
      conversation,
      body,
      writtenAt: timestamp(),
      state: "waiting",
    };
    this.typedAt.delete(conversation);
    this.dispatch({ type: "written", entries: [entry] });
    this.hurry();
    return entry.clientId;
  }

  retry(clientId: ClientId): void {
    this.dispatch({ type: "retried", clientId, fresh: this.ports.newId() });
  }

  discard(clientId: ClientId): void {
    this.dispatch({ type: "discarded", clientId });
  }

  typing(conversation: ConversationId): void {
    const now = this.ports.clock.now();
    const last = this.typedAt.get(conversation) ?? Number.NEGATIVE_INFINITY;
    if (now - last < this.store.get().limits.typing_interval_ms) return;
    if (this.connection.send({ type: "typing", conversation })) this.typedAt.set(conversation, now);
  }

  /** The reader is at the end of a conversation, and reads on from there. */
  atEnd(conversation: ConversationId): void {
    this.dispatch({ type: "at_end", conversation });
  }

  /** A message was in view; whatever came before it counts as read with it. */
  seen(conversation: ConversationId, seq: number): void {
    const log = this.store.get().logs.get(conversation);
    if (log === undefined) return;
    const read = newestOfOthers(log, this.me(), seq);
    this.dispatch({ type: "seen", conversation, seq: read });
    this.receipts.reached(conversation, "read", read);
  }

  /** Whose presence a list shows now. */
  watch(users: readonly UserId[]): void {
    this.watching.show(users);
  }

  /** The page is visible again, or the network is back, or gone. */
  wake(): void {
    this.session.wake();
    if (this.store.get().stage.kind === "anonymous") void this.session.lookAgain();
    if (this.me() === null) return;
    this.connection.wake();
    this.adopt();
  }

  /** The user is there: an attempt to connect should not be long in coming. */
  hurry(): void {
    this.connection.hurry();
  }

  /** The page may be about to end: what it would keep in a moment is kept now. */
  keep(): void {
    this.keeping.keep();
  }

  /** The user has touched this device: a page that is left alone is away after a while. */
  touch(): void {
    this.idle.touch();
  }

  /** The user wants the connection back that the server ended for good. */
  reconnect(): void {
    this.connection.start();
  }

  /** Closes the connection and forgets everything that the server holds as well. */
  stop(): void {
    this.end();
    this.dispatch({ type: "anonymous", loggedOut: false });
  }

  private adopt(): void {
    const me = this.me();
    if (me !== null) void this.sending.adopt(me);
  }

  private async begin(me: UserId): Promise<void> {
    await this.sending.adopt(me);
    this.connection.start();
    this.adoptAgain();
  }

  /** A page that was reloaded may count as open for a moment longer. */
  private adoptAgain(): void {
    this.ports.clock.after(ADOPT_AGAIN_MS, () => this.adopt());
  }

  private hello(): void {
    this.synced = false;
    this.connection.send({
      type: "hello",
      cursors: cursorsOf(this.store.get()),
      watch: this.watching.announce(),
      ...(this.idle.now ? { idle: true } : {}),
    });
  }

  private onFrame(frame: ServerFrame): void {
    if (frame.type === "message") this.incoming.weigh(frame);
    this.others.hear(frame);
    const { epoch } = this.store.get();
    this.dispatch({ type: "frame", frame, now: this.ports.clock.now() });
    this.follow(frame, epoch);
  }

  /** What a frame asks for, besides what it changes; `epoch` is that before it. */
  private follow(frame: ServerFrame, epoch: string | null): void {
    switch (frame.type) {
      case "welcome":
        this.onWelcome(frame, epoch);
        break;
      case "synced":
        this.onSynced(frame);
        break;
      case "resync":
        this.onResync();
        break;
      case "message":
        if (this.synced) this.incoming.release();
        break;
      case "receipt":
        if (frame.user === this.me()) this.receipts.confirmed(frame.conversation, frame);
        break;
      default:
        break;
    }
  }

  private onWelcome(welcome: Welcome, epoch: string | null): void {
    if (welcome.user.id !== this.me()) {
      this.restart();
      return;
    }
    const { reconnect_min_ms: min, reconnect_max_ms: max } = welcome.limits;
    this.connection.keepTo({ min, max });
    if (epoch !== null && epoch !== welcome.epoch) this.receipts.forget();
    this.dispatch({ type: "unanswered" });
    this.receipts.reconnected();
    this.adopt();
    this.adoptAgain();
  }

  private onSynced(synced: Synced): void {
    this.synced = true;
    for (const id of synced.reset) this.receipts.forget(id);
    for (const id of synced.truncated) void this.loading.fill(id, true);
    this.incoming.release(this.recalled);
    this.recalled = false;
    void this.catchUp();
  }

  /** Everything that the replay does not bring. */
  private async catchUp(): Promise<void> {
    const before = this.store.get().chats;
    await this.loading.list();
    const { open, chats, logs } = this.store.get();
    // The one in front may be too old for the first page of the list.
    if (open !== null && chats.get(open) === before.get(open)) await this.loading.describe(open);
    this.repair(logs);
    this.tellPositions();
    this.watching.refresh();
  }

  private onResync(): void {
    this.synced = false;
    this.connection.send({ type: "sync", cursors: cursorsOf(this.store.get()) });
    this.connection.send({ type: "watch", ...this.watching.announce() });
    this.receipts.reconnected();
    this.dispatch({ type: "unanswered" });
  }

  private onLost(ending: Ending | null): void {
    this.synced = false;
    if (ending === "logged_out") this.session.lost();
    else this.dispatch({ type: "link", link: "closed", ending });
  }

  private end(): void {
    this.connection.stop();
    this.receipts.forget();
    this.incoming.forget();
  }

  /** Another tab logged in as somebody else: the cookie is theirs now. */
  private restart(): void {
    this.end();
    void this.session.resume();
  }

  private announce(message: Message, missed: boolean): void {
    const known = this.loading.known(message.conversation);
    void known.then(() => this.ports.incoming(message, missed));
  }

  /** Changes the state, then does what the change asks for. */
  private dispatch(event: EngineEvent): void {
    if (event.type === "conversation") this.receipts.listed([event.conversation], this.me());
    if (event.type === "listed") this.receipts.listed(event.page.conversations, this.me());
    if (event.type === "restored") this.recalled = true;
    const before = this.store.get();
    this.store.dispatch(event);
    const after = this.store.get();
    const me = this.me();
    if (after === before || me === null) return;
    this.keeping.changed();
    const sameUser = before.stage.kind === "active" && before.stage.me.id === me;
    if (after.outbox !== before.outbox && sameUser) {
      void this.sending.changed(me, before.outbox, after.outbox);
      this.sending.pump();
    }
    // What was kept has been told of, mostly: the rest is, once the server has said how far.
    if (after.logs !== before.logs && event.type !== "restored")
      this.onLogs(before.logs, after.logs);
    if (after.chats !== before.chats) this.watching.refresh();
  }

  private onLogs(
    before: ReadonlyMap<ConversationId, Log>,
    after: ReadonlyMap<ConversationId, Log>,
  ): void {
    const changed = new Map([...after].filter(([id, log]) => before.get(id) !== log));
    for (const [id, log] of changed) this.reportDelivered(id, log);
    if (this.synced) this.repair(changed);
  }

  /** Fetches what is known to be missing: messages, or the conversation itself. */
  private repair(logs: ReadonlyMap<ConversationId, Log>): void {
    const { chats } = this.store.get();
    for (const [id, log] of logs) {
      if (hasGap(log)) void this.loading.fill(id);
      if (!chats.has(id)) void this.loading.describe(id);
    }
  }

  /** Tells of what was held and seen while nothing could be told, by this page or the last one. */
  private tellPositions(): void {
    const { chats, logs } = this.store.get();
    for (const [id, log] of logs) {
      this.reportDelivered(id, log);
      const own = chats.get(id)?.members.find((member) => member.user.id === this.me());
      if (own !== undefined) this.receipts.reached(id, "read", own.read);
    }
  }

  /** Tells that the newest message of others is held; the own ones need no receipt. */
  private reportDelivered(conversation: ConversationId, log: Log): void {
    this.receipts.reached(conversation, "delivered", newestOfOthers(log, this.me()));
  }

  private me(): UserId | null {
    const { stage } = this.store.get();
    return stage.kind === "active" ? stage.me.id : null;
  }
}
