import type { Api } from "../connection/api";
import { Engine } from "../engine/engine";
import type { Message } from "../protocol/message";
import { pinnedWith } from "../store/selectors";
import { createStore, type Store } from "../store/store";
import { FakeClock } from "./fake-clock";
import { CONVERSATION, FakeApi, FakeServer, FakeStorage } from "./fake-server";
import { FakeSnapshots } from "./fake-snapshots";
import { FakeSockets } from "./fake-socket";

/** A whole page without a browser: the real engine and store, a fake world around them. */
export class FakePage {
  readonly store: Store = createStore();
  readonly clock = new FakeClock();
  readonly sockets = new FakeSockets();
  readonly announced: Message[] = [];
  /** Of these, those that came before the page did. */
  readonly missed: Message[] = [];
  readonly engine: Engine;
  private written = 0;

  constructor(
    readonly server = new FakeServer(),
    readonly storage = new FakeStorage(),
    name = "one",
    readonly kept = new FakeSnapshots(),
  ) {
    this.engine = new Engine({
      store: this.store,
      api: new FakeApi(server) as unknown as Api,
      storage,
      clock: this.clock,
      openWebSocket: this.sockets.openWebSocket,
      newId: () => {
        this.written += 1;
        return `ada-${name}-${this.written}`;
      },
      timestamp: () => "2026-11-23T19:00:00.000Z",
      snapshots: kept,
      incoming: (message, missed) => {
        this.announced.push(message);
        if (missed) this.missed.push(message);
      },
    });
  }

  /** Logged in, connected, everything loaded. */
  async open(): Promise<this> {
    await this.engine.start();
    await this.connect();
    return this;
  }

  /** Lets the socket that is being opened succeed. */
  async connect(): Promise<void> {
    this.server.serve(this.sockets.last);
    await this.rest();
  }

  /** Lets everything happen that is under way, time-outs of a second included. */
  async rest(): Promise<void> {
    for (let round = 0; round < 5; round += 1) {
      await this.clock.pass(200);
      const socket = this.sockets.all.at(-1);
      if (socket !== undefined && !socket.closed) this.server.attend(socket);
    }
  }

  /** The next page of the same browser; this one is gone. */
  reloaded(name: string): FakePage {
    this.sockets.all.at(-1)?.close();
    return new FakePage(this.server, this.storage, name, this.kept);
  }

  get state() {
    return this.store.get();
  }

  get log() {
    return this.state.logs.get(CONVERSATION);
  }

  get conversation() {
    return this.state.conversations.get(CONVERSATION);
  }

  /** The numbers of the pinned messages, as the page shows them. */
  get pins(): readonly number[] {
    const { log, state } = this;
    return log === undefined ? [] : pinnedWith(log.pins, state.outbox.entries, CONVERSATION);
  }

  /** The numbers of the messages held. */
  get seqs(): number[] {
    return (this.log?.messages ?? []).map((message) => message.seq);
  }
}

/** The numbers from 1 to `last`. */
export function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

/** A page of Ada's that is open, after Bob has sent so many messages. */
export async function pageWith(messages: number): Promise<FakePage> {
  const server = new FakeServer();
  server.fromBob(messages);
  return new FakePage(server).open();
}
