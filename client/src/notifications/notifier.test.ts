import { expect, test } from "vitest";
import { INITIAL } from "../sdk/store/state";
import type { News } from "./notification";
import { notifyOf } from "./notifier";

const message = {
  conversation: "c",
  seq: 1,
  sender: "2",
  client_id: "m",
  at: "2026-11-23T19:00:00.000Z",
  kind: "message",
  body: "**Hello**\n<b>there</b>",
} as const;

interface Circumstances {
  readonly open: string | null;
  readonly isVisible: boolean;
  readonly missed?: boolean;
  readonly speaks?: boolean;
}

async function told({ open, isVisible, missed = false, speaks = true }: Circumstances) {
  const ways: string[] = [];
  let told: News | undefined;
  const state = { ...INITIAL, open, people: new Map([["2", { id: "2", name: "Bob" }]]) };
  const way = (name: string) => (news: News) => {
    ways.push(name);
    told = news;
  };
  await notifyOf(message, missed, state, {
    toast: way("toast"),
    notification: way("notification"),
    sound: () => ways.push("sound"),
    isVisible: () => isVisible,
    speaksForAll: async () => speaks,
  });
  return [ways.join(" "), told] as const;
}

const NEWS = { conversation: "c", seq: 1, from: "Bob", excerpt: "Hello <b>there</b>", unread: 1 };

test("a conversation in front of the user needs no word", async () => {
  expect(await told({ open: "c", isVisible: true })).toEqual(["", undefined]);
});

test("another one is told of by a toast, and heard", async () => {
  expect(await told({ open: "d", isVisible: true })).toEqual(["toast sound", NEWS]);
  expect(await told({ open: null, isVisible: true })).toEqual(["toast sound", NEWS]);
});

test("a hidden page notifies, also of the conversation in front", async () => {
  expect(await told({ open: "c", isVisible: false })).toEqual(["notification", NEWS]);
  expect(await told({ open: "d", isVisible: false })).toEqual(["toast notification", NEWS]);
});

test("only one page speaks for all", async () => {
  expect(await told({ open: "c", isVisible: false, speaks: false })).toEqual(["", undefined]);
});

test("what was missed before there was a page is shown by the list of a page in view", async () => {
  expect(await told({ open: "d", isVisible: true, missed: true })).toEqual(["", undefined]);
  expect(await told({ open: "d", isVisible: false, missed: true })).toEqual(["notification", NEWS]);
});
