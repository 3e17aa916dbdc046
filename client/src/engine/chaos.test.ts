import fc from "fast-check";
import { expect, test } from "vitest";
import type { ServerFrame } from "../protocol/generated";
import { FakePage } from "../testing/fake-page";
import { ADA, CONVERSATION, FakeServer } from "../testing/fake-server";
import { heldTo } from "./log";

/** One page, and everything that a network and a server may do to it. */
class World {
  readonly written: string[] = [];
  private late: ServerFrame[] = [];

  constructor(readonly page: FakePage) {}

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
    written: () => this.write(),
    answered: () => this.page.server.attend(this.socket),
    unanswered: () => {
      this.write();
      for (const frame of this.socket.take()) this.page.server.answer(frame);
    },
    resync: () => this.socket.receive({ type: "resync" }),
    pause: () => this.page.rest(),
    cut: () => this.cut(),
  };

  async cut(): Promise<void> {
    this.late = [];
    const { all } = this.page.sockets;
    const { length } = all;
    this.socket.end(1006);
    while (all.length === length) await this.page.clock.pass(500);
    await this.page.connect();
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

const STEPS = Object.keys(new World(new FakePage()).steps) as (keyof World["steps"])[];

test("whatever happens, the page shows the log, and everything written is in it once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...STEPS), { maxLength: 40 }),
      fc.nat(15),
      async (steps, before) => {
        const server = new FakeServer();
        server.fromBob(before);
        const world = new World(await new FakePage(server).open());
        for (const step of steps) await world.steps[step]();
        await world.cut();
        await world.page.rest();

        const { log, state } = world.page;
        const mine = server.log.filter((message) => message.sender === ADA.id);
        expect(mine.map((message) => message.body)).toEqual(world.written);
        expect(state.outbox.entries).toEqual([]);
        expect(log === undefined ? 0 : heldTo(log)).toBe(server.log.length);
        expect(log?.messages ?? []).toEqual(server.log.slice(log?.base));

        const cold = await new FakePage(server).open();
        expect(world.page.chat?.last).toEqual(cold.chat?.last);
        expect(world.page.chat?.unread).toBe(cold.chat?.unread);
      },
    ),
    { numRuns: 60 },
  );
}, 60_000);
