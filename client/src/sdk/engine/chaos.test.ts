import fc from "fast-check";
import { expect, test } from "vitest";
import type { ServerFrame } from "../protocol/generated";
import { linesOf } from "../store/lines";
import { FakePage } from "../testing/fake-page";
import { ADA, CONVERSATION, FakeServer } from "../testing/fake-server";
import { heldTo } from "./log";

/** One page, and everything that a network and a server may do to it. */
class World {
  readonly written: string[] = [];
  readonly doubled: string[] = [];
  private late: ServerFrame[] = [];
  private pages = 0;

  constructor(public page: FakePage) {
    this.attend();
  }

  private get socket() {
    return this.page.sockets.last;
  }

  readonly steps = {
    live: () => this.socket.receive(...this.fromBob()),
    dropped: () => void this.fromBob(),
    doubled: () => {
      const frames = this.fromBob();
      this.socket.receive(...frames, ...frames);
    },
    late: () => void this.late.push(...this.fromBob()),
    overtaken: () => this.socket.receive(...this.late.splice(0).reverse()),
    jumbled: (dice: number) => this.jumble(dice),
    written: () => this.write(),
    answered: () => this.page.server.attend(this.socket),
    unanswered: () => {
      this.write();
      for (const frame of this.socket.take()) this.page.server.answer(frame);
    },
    resync: () => this.socket.receive({ type: "resync" }),
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
    const knows = this.page.state.stage.kind === "active";
    if (knows) this.write();
    this.page.server.reachable = true;
    await this.page.clock.pass(2_000);
    await started;
    await this.page.connect();
  }

  private next(): void {
    this.pages += 1;
    this.late = [];
    this.page = this.page.reloaded(`page ${this.pages}`);
    this.attend();
  }

  private attend(): void {
    const { page } = this;
    page.store.subscribe(() => this.doubled.push(...doubledLines(page)));
  }

  async cut(): Promise<void> {
    this.late = [];
    const { all } = this.page.sockets;
    const { length } = all;
    this.socket.end(1006);
    while (all.length === length) await this.page.clock.pass(500);
    await this.page.connect();
  }

  /** All that is on its way comes twice, in any order: messages, answers, receipts. */
  private jumble(dice: number): void {
    this.write();
    const frames = [
      ...this.late.splice(0),
      ...this.fromBob(),
      ...this.socket.take().flatMap((frame) => this.page.server.answer(frame)),
      ...this.fromBob(),
    ];
    this.socket.receive(...shuffled([...frames, ...frames], dice));
  }

  private write(): void {
    const body = `mine ${this.written.length}`;
    this.written.push(body);
    this.page.engine.write(CONVERSATION, body);
  }

  private fromBob(): ServerFrame[] {
    return this.page.server.fromBob(1).map((message) => ({ type: "message", ...message }));
  }
}

/** A line is a message of the log or one on its way there, never both: the names of those that are. */
function doubledLines({ log, state }: FakePage): string[] {
  const lines = linesOf(log?.messages ?? [], state.outbox.entries, ADA.id);
  const keys = new Set<string>();
  return lines.map((line) => line.key).filter((key) => keys.size === keys.add(key).size);
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
        await world.page.rest();

        expect(world.doubled).toEqual([]);
        const { log, state } = world.page;
        const mine = server.log.filter((message) => message.sender === ADA.id);
        expect(mine.map((message) => message.body)).toEqual(world.written);
        expect(state.outbox.entries).toEqual([]);
        expect(log === undefined ? 0 : heldTo(log)).toBe(server.log.length);
        expect(log?.messages ?? []).toEqual(server.log.slice(log?.base));

        const cold = await new FakePage(server).open();
        const both = Math.max(log?.base ?? 0, cold.log?.base ?? 0);
        expect(log?.messages.slice(both - log.base)).toEqual(
          cold.log?.messages.slice(both - cold.log.base),
        );
        expect(world.page.chat?.last).toEqual(cold.chat?.last);
        expect(world.page.chat?.unread).toBe(cold.chat?.unread);
      },
    ),
    { numRuns: 100 },
  );
}, 60_000);
