import fc from "fast-check";
import { expect, test } from "vitest";
import type { ClientId, Content, Event, ServerFrame } from "../protocol/generated";
import type { Numbered } from "../protocol/message";
import { FakePage } from "../testing/fake-page";
import { ADA, CONVERSATION, FakeServer, frameOf } from "../testing/fake-server";
import type { Log } from "../timeline/log";
import { rowsOf } from "../timeline/rows";

/** One page, and everything that a network and a server may do to it. */
class World {
  /** All that was written, in order. */
  readonly written = new Map<ClientId, Content>();
  /** Thrown away before they were known to be stored. */
  readonly discarded = new Set<ClientId>();
  readonly doubled: string[] = [];
  private late: ServerFrame[] = [];
  /** Answers on their way, in order. */
  private down: ServerFrame[] = [];
  private pages = 0;

  constructor(public page: FakePage) {
    this.attend();
  }

  private get socket() {
    return this.page.sockets.last;
  }

  readonly steps = {
    live: (dice: number) => this.socket.receive(this.fromOthers(dice)),
    dropped: (dice: number) => void this.fromOthers(dice),
    doubled: (dice: number) => {
      const frame = this.fromOthers(dice);
      this.socket.receive(frame, frame);
    },
    late: (dice: number) => void this.late.push(this.fromOthers(dice)),
    overtaken: () => this.socket.receive(...this.late.splice(0).reverse()),
    jumbled: (dice: number) => this.jumble(dice),
    written: () => this.write(),
    pinned: (dice: number) => this.pin(dice),
    answered: () => this.page.server.attend(this.socket),
    unanswered: () => {
      this.write();
      for (const frame of this.socket.take()) this.page.server.answer(frame);
    },
    refused: (dice: number) => {
      this.page.server.refusals += 1 + (dice % 3);
    },
    /** The line stalls: some of what was sent arrives, and no answer yet. */
    stalled: (dice: number) => {
      const arrived = this.socket.sent.splice(0, dice % 5);
      this.down.push(...arrived.flatMap((frame) => this.page.server.answer(frame)));
    },
    heard: (dice: number) => this.socket.receive(...this.down.splice(0, dice % 5)),
    discarded: (dice: number) => this.discard(dice),
    resync: () => this.socket.receive({ type: "resync" }),
    /** The reader goes far back, and on from there. */
    jumped: (dice: number) => {
      const seq = this.anyMessage(dice);
      if (seq === undefined) return;
      this.page.engine.show(CONVERSATION);
      void this.page.engine.loadAround(CONVERSATION, seq);
    },
    wentOn: () => void this.page.engine.loadNewer(CONVERSATION),
    pause: () => this.page.rest(),
    cut: () => this.cut(),
    reloaded: () => this.reload(),
    reloadedAway: () => this.reloadAway(),
  };

  /** The page begins again with what is kept, which may be older than what it showed. */
  async reload(): Promise<void> {
    this.next();
    await this.page.open();
  }

  /** Without a server at first: what is written then waits. */
  private async reloadAway(): Promise<void> {
    this.next();
    this.page.server.reachable = false;
    const started = this.page.engine.start();
    await this.page.clock.pass(100);
    const knows = this.page.state.auth.kind === "active";
    if (knows) this.write();
    this.page.server.reachable = true;
    await this.page.clock.pass(2_000);
    await started;
    await this.page.connect();
  }

  private next(): void {
    this.pages += 1;
    this.late = [];
    this.down = [];
    this.page = this.page.reloaded(`page ${this.pages}`);
    this.attend();
  }

  private attend(): void {
    const { page } = this;
    page.store.subscribe(() => this.doubled.push(...doubledLines(page)));
  }

  async cut(): Promise<void> {
    this.late = [];
    this.down = [];
    const { all } = this.page.sockets;
    const { length } = all;
    this.socket.end(1006);
    while (all.length === length) await this.page.clock.pass(500);
    await this.page.connect();
  }

  /** All that is on its way comes twice, in any order: events, answers, receipts. */
  private jumble(dice: number): void {
    this.write();
    const frames = [
      ...this.late.splice(0),
      this.fromOthers(dice),
      ...this.socket.take().flatMap((frame) => this.page.server.answer(frame)),
      this.fromOthers(dice >> 8),
    ];
    this.socket.receive(...shuffled([...frames, ...frames], dice));
  }

  private discard(dice: number): void {
    const { entries } = this.page.state.outbox;
    const entry = entries[dice % Math.max(1, entries.length)];
    if (entry === undefined) return;
    this.discarded.add(entry.clientId);
    this.page.engine.discard(entry.clientId);
  }

  private write(): void {
    const body = `mine ${this.written.size}`;
    this.written.set(this.page.engine.write(CONVERSATION, body), { kind: "message", body });
  }

  /** Pins or unpins any message, whether it is on the page or not. */
  private pin(dice: number): void {
    const target = this.anyMessage(dice);
    if (target === undefined) return;
    const on = dice % 3 > 0;
    const clientId = this.page.engine.pin(CONVERSATION, target, on);
    this.written.set(clientId, { kind: "pin", target, on });
  }

  /** Mostly a message of Bob's; or he pins one, or something happens that the page cannot show. */
  private fromOthers(dice: number): ServerFrame {
    const { server } = this.page;
    const target = this.anyMessage(dice >> 4);
    const kind = dice % 8;
    if (kind < 2 && target !== undefined) return frameOf(server.pinnedByBob(target, kind === 0));
    if (kind === 2) return frameOf(server.hide());
    if (kind === 3) return frameOf(server.fromTheFuture());
    const [message] = server.fromBob(1);
    if (message === undefined) throw new Error("Bob wrote nothing");
    return frameOf(message);
  }

  private anyMessage(dice: number): number | undefined {
    const { messages } = this.page.server;
    return messages[dice % Math.max(1, messages.length)]?.seq;
  }
}

/** The messages of a log after a number, and what is pinned. */
function contentsOf(log: Log, after: number) {
  return { messages: log.messages.filter(({ seq }) => seq > after), pins: log.pins };
}

const isMine = (event: Numbered): event is Event => "sender" in event && event.sender === ADA.id;

/** A row is a message of the log or one on its way there, never both: the keys of rows that are. */
function doubledLines({ log, state }: FakePage): string[] {
  const rows = rowsOf(log ?? { base: 0, messages: [] }, state.outbox.entries, ADA.id);
  const keys = new Set<string>();
  return rows.map((row) => row.key).filter((key) => keys.size === keys.add(key).size);
}

/** In an order that `dice` decides (Fisher and Yates, with the numbers of Lehmer's generator). */
function shuffled<T>(items: readonly T[], dice: number): T[] {
  const left = [...items];
  const order: T[] = [];
  for (let next = dice + 1; left.length > 0; next = (next * 48_271) % 2_147_483_647) {
    order.push(...left.splice(next % left.length, 1));
  }
  return order;
}

const STEPS = Object.keys(new World(new FakePage()).steps) as (keyof World["steps"])[];

test("f24: whatever is lost, doubled or reordered, the page is as if it were loaded now", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...STEPS), fc.nat(2_147_483_645)), { maxLength: 40 }),
      fc.nat(15),
      async (steps, before) => {
        const server = new FakeServer();
        server.fromBob(before);
        const world = new World(await new FakePage(server).open());
        for (const [step, dice] of steps) await world.steps[step](dice);
        await world.cut();
        server.refusals = 0;
        await world.page.rest();
        // A reader who is far back goes to the end.
        if (world.page.log?.detached) void world.page.engine.loadAround(CONVERSATION, null);
        await world.page.rest();

        expect(world.doubled).toEqual([]);
        const { log, state, pins } = world.page;
        const mine = server.log.filter(isMine);
        // What was thrown away may have been stored; everything else is, and all in order.
        const stored = new Set(mine.map((event) => event.client_id));
        const due = [...world.written].filter(
          ([clientId]) => stored.has(clientId) || !world.discarded.has(clientId),
        );
        expect(mine).toMatchObject(due.map(([client_id, content]) => ({ client_id, ...content })));
        expect(server.refused).toEqual([]);
        expect(state.outbox).toMatchObject({ entries: [], refused: null });
        expect(log?.end ?? 0).toBe(server.log.length);
        expect(log?.messages ?? []).toEqual(
          server.messages.filter(({ seq }) => seq > (log?.base ?? 0)),
        );
        expect(pins).toEqual(server.pins);

        const cold = await new FakePage(server).open();
        const both = Math.max(log?.base ?? 0, cold.log?.base ?? 0);
        expect(log && contentsOf(log, both)).toEqual(cold.log && contentsOf(cold.log, both));
        expect(world.page.conversation?.last).toEqual(cold.conversation?.last);
        expect(world.page.conversation?.unread).toBe(cold.conversation?.unread);
      },
    ),
    { numRuns: 100 },
  );
}, 60_000);
