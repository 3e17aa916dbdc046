import type { Page } from "@playwright/test";
import { type Content, DEFAULT_LIMITS, SUBPROTOCOL } from "../src/sdk/protocol/generated";

/**
 * Sends messages to the conversation in front of a page, as fast as the server answers
 * and over a connection of its own: what the protocol allows, whatever the page would.
 */
export function sendAll(page: Page, bodies: readonly string[]): Promise<void> {
  return sendEach(
    page,
    bodies.map((body) => ({ kind: "message", body })),
  );
}

/** The same for anything that can be sent. */
export async function sendEach(page: Page, contents: readonly Content[]): Promise<void> {
  await page.evaluate(
    async ([contents, inFlight, protocol]) => {
      const conversation = location.hash.slice("#/c/".length);
      const socket = new WebSocket(`ws://${location.host}/api/socket`, protocol);
      const say = (frame: object) => socket.send(JSON.stringify(frame));
      const first = crypto.randomUUID().slice(0, 8);
      let sent = 0;
      let stored = 0;
      const more = () => {
        for (; sent < contents.length && sent - stored < inFlight; sent += 1) {
          const client_id = `${first}-0000-7000-8000-${sent.toString(16).padStart(12, "0")}`;
          say({ type: "send", client_id, conversation, ...contents[sent] });
        }
      };
      await new Promise<void>((done, failed) => {
        socket.onopen = () => say({ type: "hello", cursors: [] });
        socket.onclose = () => failed(new Error("the connection was closed"));
        socket.onmessage = ({ data }) => {
          const frame = JSON.parse(data);
          if (frame.type === "error") failed(new Error(data));
          if (frame.type === "stored") stored += 1;
          if (frame.type === "synced" || frame.type === "stored") more();
          if (stored === contents.length) done();
        };
      });
      socket.onclose = null;
      socket.close();
    },
    [contents, DEFAULT_LIMITS.unacknowledged_sends, SUBPROTOCOL] as const,
  );
}
