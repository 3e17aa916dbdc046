import { expect, test } from "vitest";
import { INITIAL } from "../sdk/store/state";
import { type News, tell } from "./notifier";

const message = {
  conversation: "c",
  seq: 1,
  sender: "2",
  client_id: "m",
  at: "2026-11-23T19:00:00.000Z",
  body: "**Hello**\n<b>there</b>",
};

async function told(open: string | null, inView: boolean, mayNotify = true) {
  const toasts: News[] = [];
  const notifications: News[] = [];
  const state = { ...INITIAL, open, people: new Map([["2", { id: "2", name: "Bob" }]]) };
  await tell(message, state, {
    toast: (news) => toasts.push(news),
    notification: (news) => notifications.push(news),
    inView: () => inView,
    mayNotify: async () => mayNotify,
  });
  return [toasts.length, notifications.length, toasts[0] ?? notifications[0]];
}

test("a conversation in front of the user needs no word", async () => {
  expect(await told("c", true)).toEqual([0, 0, undefined]);
});

test("another one is told of by a toast", async () => {
  const news = { conversation: "c", from: "Bob", excerpt: "Hello <b>there</b>" };
  expect(await told("d", true)).toEqual([1, 0, news]);
  expect(await told(null, true)).toEqual([1, 0, news]);
});

test("a hidden page notifies, also of the conversation in front", async () => {
  expect(await told("c", false)).toMatchObject([0, 1, { from: "Bob" }]);
  expect(await told("d", false)).toMatchObject([1, 1, { from: "Bob" }]);
});

test("only one page speaks for all", async () => {
  expect(await told("c", false, false)).toEqual([0, 0, undefined]);
});
