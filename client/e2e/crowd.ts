import WebSocket from "ws";
import { SUBPROTOCOL } from "../src/sdk/protocol/generated";

/** Log-ins under way at the same time. */
const AT_ONCE = 20;

/** So many people who are just here, without a browser: each with a session and a socket. */
export async function crowd(home: string, count: number): Promise<Disposable> {
  const sockets: WebSocket[] = [];
  const names = Array.from({ length: count }, (_, number) => `Someone ${number}`);
  const arrive = async () => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      sockets.push(await here(home, await logIn(home, name)));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, arrive));
  return {
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.terminate();
    },
  };
}

async function logIn(home: string, name: string): Promise<string> {
  const response = await fetch(`${home}/api/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, bearer: true }),
  });
  const { token } = (await response.json()) as { token?: string };
  if (token === undefined) throw new Error(`${name} could not log in: ${response.status}`);
  return token;
}

/** A connection that has said hello, and answers the server's pings. */
async function here(home: string, token: string): Promise<WebSocket> {
  const headers = { authorization: `Bearer ${token}` };
  const socket = new WebSocket(`${home}/api/socket`, SUBPROTOCOL, { headers });
  await new Promise((done, failed) => {
    socket.on("open", () => socket.send(JSON.stringify({ type: "hello", cursors: [] })));
    socket.once("message", done);
    socket.once("error", failed);
  });
  return socket;
}
