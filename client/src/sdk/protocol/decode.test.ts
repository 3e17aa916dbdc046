import { describe, expect, test } from "vitest";
import { decodeFrame, isConversations, isHistory, isProblem } from "./decode";

const header = {
  conversation: "c",
  seq: 1,
  sender: "u",
  client_id: "m",
  at: "2026-11-23T19:00:00.000Z",
};
const message = { type: "event", ...header, kind: "message", body: "hi" };
const pin = { type: "event", ...header, kind: "pin", target: 1, on: true };

describe("decodeFrame", () => {
  test("accepts a known frame, with fields it does not know", () => {
    const decoded = decodeFrame(JSON.stringify({ ...message, colour: "blue" }));
    expect(decoded).toMatchObject({ kind: "frame", frame: message });
  });

  test("reads an event by its kind", () => {
    expect(decodeFrame(JSON.stringify(pin))).toEqual({ kind: "frame", frame: pin });
    for (const wrong of [
      { ...pin, target: "1" },
      { ...pin, on: 1 },
      { ...message, body: 7 },
      { ...message, kind: "pin" },
      { ...message, kind: undefined },
      { ...message, client_id: undefined },
    ]) {
      expect(decodeFrame(JSON.stringify(wrong))).toEqual({ kind: "malformed" });
    }
  });

  test("e03: takes an event of a kind it does not know as one that is not shown", () => {
    const hidden = { type: "hidden", conversation: "c", seq: 1 };
    const later = { type: "event", conversation: "c", seq: 1 };
    for (const frame of [
      hidden,
      { ...later, kind: "poll", question: "Tea?" },
      { ...later, kind: "constructor", sender: 7 },
      { ...later, kind: "__proto__" },
      { ...header, ...later, kind: "" },
    ]) {
      expect(decodeFrame(JSON.stringify(frame))).toEqual({ kind: "frame", frame: hidden });
    }
    for (const wrong of [
      { ...later, kind: "poll", seq: "1" },
      { ...later, kind: "poll", seq: -1 },
      { ...later, kind: "poll", conversation: undefined },
      { ...later, kind: 7 },
      { ...hidden, seq: 1.5 },
    ]) {
      expect(decodeFrame(JSON.stringify(wrong))).toEqual({ kind: "malformed" });
    }
  });

  test("takes presence with and without those who are away", () => {
    const plain = { type: "presence_diff", version: 1, count: 1, joins: [], leaves: ["u"] };
    for (const frame of [plain, { ...plain, away: ["v"], back: [] }]) {
      expect(decodeFrame(JSON.stringify(frame))).toMatchObject({ kind: "frame", frame });
    }
    const wrong = { ...plain, away: [7] };
    expect(decodeFrame(JSON.stringify(wrong))).toEqual({ kind: "malformed" });
  });

  test("leaves frames of unknown types alone", () => {
    expect(decodeFrame('{"type":"reaction"}')).toEqual({ kind: "unknown" });
    expect(decodeFrame('{"type":"constructor"}')).toEqual({ kind: "unknown" });
    expect(decodeFrame('{"type":"__proto__"}')).toEqual({ kind: "unknown" });
  });

  test.each([
    "",
    "null",
    "[]",
    "7",
    '{"type":7}',
    "{",
    JSON.stringify({ ...message, seq: "1" }),
    JSON.stringify({ ...message, seq: -1 }),
    JSON.stringify({ ...message, seq: 1.5 }),
    '{"type":"event","kind":"message","seq":1e400}',
    '{"type":"welcome"}',
    '{"type":"presence","version":1,"count":1,"complete":true,"online":[{"id":"u"}]}',
  ])("finds %s malformed", (text) => {
    expect(decodeFrame(text)).toEqual({ kind: "malformed" });
  });

  test("takes optional fields or their absence, nothing else", () => {
    const error = { type: "error", code: "busy", message: "Later." };
    expect(decodeFrame(JSON.stringify(error)).kind).toBe("frame");
    expect(decodeFrame(JSON.stringify({ ...error, retry_after_ms: 5 })).kind).toBe("frame");
    expect(decodeFrame(JSON.stringify({ ...error, retry_after_ms: "5" })).kind).toBe("malformed");
  });
});

test("answers of the HTTP API are checked as deeply", () => {
  const conversation = {
    id: "c",
    members: [],
    last_seq: 0,
    last_at: null,
    last: null,
    unread: 0,
    pins: [],
  };
  const listed = (one: object) => isConversations({ conversations: [one], next: null });
  expect(listed(conversation)).toBe(true);
  expect(listed({ ...conversation, last: message, pins: [1, 2] })).toBe(true);
  for (const wrong of [{ last: {} }, { pins: ["1"] }, { pins: undefined }]) {
    expect(listed({ ...conversation, ...wrong })).toBe(false);
  }
  const page = { messages: [message], from: 1, to: 4, last_seq: 9, last_at: message.at };
  expect(isHistory(page)).toBe(true);
  expect(isHistory({ messages: [], from: 1, to: 0, last_seq: 0, last_at: null })).toBe(true);
  for (const wrong of [
    { from: undefined },
    { to: null },
    { messages: [{ ...message, body: 7 }] },
  ]) {
    expect(isHistory({ ...page, ...wrong })).toBe(false);
  }
  // What a later server counts among messages does not keep this client from the others.
  expect(isHistory({ ...page, messages: [{ ...header, kind: "poll" }, message] })).toBe(true);
  expect(isProblem({ code: "a_new_code", message: "Sentence." })).toBe(true);
});
