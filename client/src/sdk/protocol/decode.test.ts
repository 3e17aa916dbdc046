import { describe, expect, test } from "vitest";
import { decodeFrame, isConversations, isProblem } from "./decode";

const message = {
  type: "message",
  conversation: "c",
  seq: 1,
  sender: "u",
  client_id: "m",
  at: "2026-11-23T19:00:00.000Z",
  body: "hi",
};

describe("decodeFrame", () => {
  test("accepts a known frame, with fields it does not know", () => {
    const decoded = decodeFrame(JSON.stringify({ ...message, colour: "blue" }));
    expect(decoded).toMatchObject({ kind: "frame", frame: message });
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
    '{"type":"message","seq":1e400}',
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
  const conversation = { id: "c", members: [], last_seq: 0, last: null, unread: 0 };
  expect(isConversations({ conversations: [conversation], next: null })).toBe(true);
  expect(isConversations({ conversations: [{ ...conversation, last: {} }], next: null })).toBe(
    false,
  );
  expect(isProblem({ code: "a_new_code", message: "Sentence." })).toBe(true);
});
