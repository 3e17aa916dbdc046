import type { ApiError } from "../connection/api";
import { Connection } from "../connection/connection";
import type { CloseReason } from "../connection/reconnect";
import type { Entry } from "../outbox/outbox";
import type {
  ClientFrame,
  ClientId,
  Content,
  ConversationId,
  History,
  People,
  ServerFrame,
  Synced,
  UserId,
  Welcome,
} from "../protocol/generated";
import { isMessage, type Message } from "../protocol/message";
import type { EngineEvent } from "../store/events";
import type { StateStore } from "../store/store";
import { hasGap, type Log, lacksPins, newestOfOthers } from "../timeline/log";
import { cursorsOf } from "./cursors";
import { Fetcher } from "./fetcher";
import { Idle } from "./idle";
import { Incoming } from "./incoming";
import { OutboxSender } from "./outbox-sender";
import type { Ports } from "./ports";
import { PresenceEffects } from "./presence-effects";
import { PresenceSubscription } from "./presence-subscription";
import { Receipts } from "./receipts";
import { refusal, SessionKeeper } from "./session";
import { NO_SNAPSHOTS, SnapshotSaver } from "./snapshot-saver";

/** How long after connecting closed tabs are looked for a second time. */
const ADOPT_AGAIN_MS = 5_000;

/**
 * Follows the protocol for one page: maintains the connection, the logs and the
 * outbox, and does what the user wants. All state is in the store.
 */
export class Engine {
  /** Logging in and out, passwords. */
  readonly session: SessionKeeper;
  private readonly store: StateStore;
  private readonly connection: Connection;
  private readonly sender: OutboxSender;
  private readonly fetcher: Fetcher;
  private readonly receipts: Receipts;
  private readonly presenceSubscription: PresenceSubscription;
  private readonly incoming: Incoming;
  private readonly snapshots: SnapshotSaver;
  private readonly idle: Idle;
  private readonly presenceEffects: PresenceEffects;
  /** Whether the replay of this connection is complete. */
  private synced = false;
  /** Whether the page started from a snapshot, and has not caught up yet. */
  private restored = false;
  private readonly typedAt = new Map<ConversationId, number>();
  /** The messages that came into view while the user was idle. */
  private readonly unwatched = new Map<ConversationId, number>();

  constructor(private readonly ports: Ports) {
    const { store, api, storage, clock, snapshots = NO_SNAPSHOTS } = ports;
    const send = (frame: ClientFrame) => this.connection.send(frame);
    const dispatch = (event: EngineEvent) => this.dispatch(event);
    this.store = store;
    this.sender = new OutboxSender(store, storage, clock, send, dispatch);
    this.snapshots = new SnapshotSaver(store, snapshots, clock);
    this.session = new SessionKeeper(
      store,
      api,
      storage,
      this.snapshots,
      clock,
      dispatch,
      {
        begun: (me) => this.begin(me),
        ended: () => this.end(),
      },
      ports.renewed,
    );
    this.fetcher = new Fetcher(store, api, clock, dispatch, () => this.session.lost());
    this.receipts = new Receipts(clock, () => store.get().limits.receipt_interval_ms, send);
    this.presenceSubscription = new PresenceSubscription(store, clock, send);
    this.idle = new Idle(clock, (idle) => this.connection.send({ type: "activity", idle }));
    this.presenceEffects = new PresenceEffects(store, clock, ports.timestamp, dispatch);
    this.incoming = new Incoming(store, (message, missed) => this.announce(message, missed));
    this.connection = new Connection(ports.openWebSocket, clock, {
      opened: () => this.hello(),
      received: (frame) => this.onFrame(frame),
      lost: (closeReason) => this.onLost(closeReason),
      admitted: () => this.session.admitted(),
      answers: () => api.answers(),
      attempting: () => this.dispatch({ type: "link", link: "connecting", closeReason: null }),
    });
  }

  /** Resumes the session that this browser may have. */
  start(): Promise<void> {
    return this.session.resume();
  }

  /** The id of the conversation with somebody, which is created if there is none. */
  async openWith(user: UserId): Promise<ConversationId | ApiError> {
    try {
      const conversation = await this.ports.api.openConversation(user);
      this.dispatch({ type: "conversation", conversation });
      return conversation.id;
    } catch (error) {
      return refusal(error);
    }
  }

  /** Users online, by a word of their names; rejects with an `ApiError`. */
  searchPeople(q: string, after: string | null): Promise<People> {
    return this.ports.api.onlinePeople(q, after);
  }

  /** Users, online or not, by a word of their names; rejects with an `ApiError`. */
  findPeople(q: string): Promise<People> {
    return this.ports.api.people(q);
  }

  /** Opens a conversation, or none. */
  show(conversation: ConversationId | null): void {
    this.dispatch({ type: "opened", conversation });
    if (conversation === null || this.me() === null) return;
    const { conversations, link } = this.store.get();
    // Also a known one: this page may not know what others have read since.
    if (link === "open" || !conversations.has(conversation))
      void this.fetcher.describe(conversation);
    this.presenceSubscription.refresh();
  }

  loadOlder(conversation: ConversationId): Promise<void> {
    return this.fetcher.older(conversation);
  }

  /** Loads what follows a detached run. */
  loadNewer(conversation: ConversationId): Promise<void> {
    return this.fetcher.newer(conversation);
  }

  /** Loads what is around the message with this number, or the end, in place of what is held. */
  loadAround(conversation: ConversationId, seq: number | null): Promise<void> {
    return this.fetcher.around(conversation, seq);
  }

  loadMoreConversations(): Promise<void> {
    return this.fetcher.listMore();
  }

  /** Takes a message, sends it as soon as possible, and resends it until it is answered. */
  write(conversation: ConversationId, body: string): ClientId {
    this.typedAt.delete(conversation);
    return this.enqueue(conversation, { kind: "message", body });
  }

  /** Pins the message with this number, or unpins it, in the way in which messages are sent. */
  pin(conversation: ConversationId, target: number, on: boolean): ClientId {
    return this.enqueue(conversation, { kind: "pin", target, on });
  }

  /** Pinned messages before a number, or the last ones; rejects with an `ApiError`. */
  pinnedPage(conversation: ConversationId, before: number | null): Promise<History> {
    const { history_page_max } = this.store.get().limits;
    return this.ports.api.history(conversation, { pinned: true, before }, history_page_max);
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

  /** The reader is at the end of a conversation, and messages arrive. */
  atEnd(conversation: ConversationId): void {
    this.dispatch({ type: "at_end", conversation });
  }

  /** A message was in view: it and all before it count as read. */
  seen(conversation: ConversationId, seq: number): void {
    const log = this.store.get().logs.get(conversation);
    if (log === undefined) return;
    if (this.idle.now) {
      this.unwatched.set(conversation, Math.max(seq, this.unwatched.get(conversation) ?? 0));
      return;
    }
    const read = newestOfOthers(log, this.me(), seq);
    this.dispatch({ type: "seen", conversation, seq: read });
    this.receipts.reached(conversation, "read", read);
  }

  /** The users whose presence a list shows now. */
  watch(users: readonly UserId[]): void {
    this.presenceSubscription.show(users);
  }

  /** The page is visible again, or the network is back. */
  wake(): void {
    this.session.wake();
    if (this.store.get().auth.kind === "anonymous") void this.session.lookAgain();
    if (this.me() === null) return;
    this.connection.wake();
    this.adopt();
  }

  /** The browser says that it is offline. */
  unplugged(): void {
    this.connection.doubt();
  }

  /** The user is active: the next attempt to connect must come soon. */
  hurry(): void {
    this.connection.hurry();
  }

  /** The page may be about to close: saves the snapshot at once. */
  save(): void {
    this.snapshots.save();
  }

  /** The user has touched this device, which makes it active; without input it becomes idle. */
  touch(): void {
    this.idle.touch();
    this.seeUnwatched();
  }

  /** The user wants to reconnect after the server has closed the connection for good. */
  reconnect(): void {
    this.connection.start();
  }

  /** Closes the connection, and drops all state. */
  stop(): void {
    this.end();
    this.dispatch({ type: "anonymous", loggedOut: false });
  }

  private enqueue(conversation: ConversationId, content: Content): ClientId {
    const { newId, timestamp } = this.ports;
    const clientId = newId();
    const entry: Entry = {
      clientId,
      conversation,
      content,
      writtenAt: timestamp(),
      state: "waiting",
    };
    this.dispatch({ type: "written", entries: [entry] });
    this.hurry();
    return clientId;
  }

  /** A user who is back has seen what is in view. */
  private seeUnwatched(): void {
    const unwatched = [...this.unwatched];
    this.unwatched.clear();
    for (const [conversation, seq] of unwatched) this.seen(conversation, seq);
  }

  private adopt(): void {
    const me = this.me();
    if (me !== null) void this.sender.adopt(me);
  }

  private async begin(me: UserId): Promise<void> {
    await this.sender.adopt(me);
    this.connection.start();
    this.adoptAgain();
  }

  /** A tab that was closed or reloaded may count as open for a moment. */
  private adoptAgain(): void {
    this.ports.clock.after(ADOPT_AGAIN_MS, () => this.adopt());
  }

  private hello(): void {
    this.synced = false;
    this.incoming.begin();
    this.connection.send({
      type: "hello",
      cursors: cursorsOf(this.store.get()),
      watch: this.presenceSubscription.announce(),
      ...(this.idle.now ? { idle: true } : {}),
    });
  }

  private onFrame(frame: ServerFrame): void {
    if (frame.type === "event" && isMessage(frame)) this.incoming.collect(frame);
    this.presenceEffects.onFrame(frame);
    const { epoch } = this.store.get();
    this.dispatch({ type: "frame", frame, now: this.ports.clock.now() });
    this.follow(frame, epoch);
  }

  /** Does what a frame asks for, besides changing the state; `epoch` is that before the frame. */
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
      case "event":
        if (this.synced) this.incoming.announceAll();
        break;
      case "error":
        this.sender.refused(frame);
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
    this.connection.setBackoff({ min, max });
    if (epoch !== null && epoch !== welcome.epoch) {
      this.receipts.forget();
      this.incoming.forget();
    }
    this.dispatch({ type: "unanswered" });
    this.receipts.reconnected();
    this.adopt();
    this.adoptAgain();
  }

  private onSynced(synced: Synced): void {
    this.synced = true;
    for (const id of synced.reset) {
      this.receipts.forget(id);
      this.incoming.forget(id);
    }
    for (const id of synced.truncated) void this.fetcher.fill(id, true);
    this.incoming.announceAll(this.restored);
    this.restored = false;
    void this.catchUp();
  }

  /** Fetches everything that the replay does not bring. */
  private async catchUp(): Promise<void> {
    const before = this.store.get().conversations;
    await this.fetcher.list();
    const { open, conversations, logs } = this.store.get();
    // The open conversation may be too old for the first page of the list.
    if (open !== null && conversations.get(open) === before.get(open))
      await this.fetcher.describe(open);
    this.repair(logs);
    this.sendPositions();
    this.presenceSubscription.refresh();
  }

  private onResync(): void {
    this.synced = false;
    this.incoming.begin();
    this.connection.send({ type: "sync", cursors: cursorsOf(this.store.get()) });
    this.connection.send({ type: "watch", ...this.presenceSubscription.announce() });
    this.receipts.reconnected();
    this.dispatch({ type: "unanswered" });
  }

  private onLost(closeReason: CloseReason | null): void {
    this.synced = false;
    if (closeReason === "logged_out") this.session.lost();
    else this.dispatch({ type: "link", link: "closed", closeReason });
  }

  private end(): void {
    this.connection.stop();
    this.receipts.forget();
    this.incoming.forget();
    this.unwatched.clear();
  }

  /** Another tab has logged in as somebody else: the cookie is theirs now. */
  private restart(): void {
    this.end();
    void this.session.resume();
  }

  private announce(message: Message, missed: boolean): void {
    const known = this.fetcher.known(message.conversation);
    void known.then(() => this.ports.incoming(message, missed));
  }

  /** Changes the state, then does what the change requires. */
  private dispatch(event: EngineEvent): void {
    if (event.type === "conversation") this.receipts.listed([event.conversation], this.me());
    if (event.type === "listed") this.receipts.listed(event.page.conversations, this.me());
    if (event.type === "restored") this.restored = true;
    const before = this.store.get();
    this.store.dispatch(event);
    const after = this.store.get();
    const me = this.me();
    if (after === before || me === null) return;
    this.snapshots.changed();
    const sameUser = before.auth.kind === "active" && before.auth.me.id === me;
    if (after.outbox !== before.outbox && sameUser) {
      void this.sender.changed(me, before.outbox, after.outbox);
      this.sender.pump();
    }
    // A snapshot was mostly confirmed before; the rest is sent once the list says what the server knows.
    if (after.logs !== before.logs && event.type !== "restored")
      this.onLogs(before.logs, after.logs);
    if (after.conversations !== before.conversations) this.presenceSubscription.refresh();
  }

  private onLogs(
    before: ReadonlyMap<ConversationId, Log>,
    after: ReadonlyMap<ConversationId, Log>,
  ): void {
    const changed = new Map([...after].filter(([id, log]) => before.get(id) !== log));
    for (const [id, log] of changed) this.reportDelivered(id, log);
    if (this.synced) this.repair(changed);
  }

  /** Fetches events, conversations and pins that are known to be missing. */
  private repair(logs: ReadonlyMap<ConversationId, Log>): void {
    const { conversations } = this.store.get();
    for (const [id, log] of logs) {
      if (hasGap(log)) void this.fetcher.fill(id);
      if (!conversations.has(id)) void this.fetcher.describe(id);
      else if (lacksPins(log)) void this.fetcher.completePins(id);
    }
  }

  /** Sends the positions that this page, or the last one, could not send. */
  private sendPositions(): void {
    const { conversations, logs } = this.store.get();
    for (const [id, log] of logs) {
      this.reportDelivered(id, log);
      const own = conversations.get(id)?.members.find((member) => member.user.id === this.me());
      if (own !== undefined) this.receipts.reached(id, "read", own.read);
    }
  }

  /** Reports that the newest message of others was received; own ones need no receipt. */
  private reportDelivered(conversation: ConversationId, log: Log): void {
    const last = this.store.get().conversations.get(conversation)?.last;
    // What arrives while the run is detached is not in it.
    const known = log.detached && last?.sender !== this.me() ? (last?.seq ?? 0) : 0;
    const received = Math.max(known, newestOfOthers(log, this.me()));
    this.receipts.reached(conversation, "delivered", received);
  }

  private me(): UserId | null {
    const { auth } = this.store.get();
    return auth.kind === "active" ? auth.me.id : null;
  }
}
