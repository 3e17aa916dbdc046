/** Tidings for programs: see README.md. */
export { Client, connect, type Options, type WebSocketWithHeaders } from "./client";
export { ApiError } from "./engine/api";
export type { Chat, EngineState, OutboxStorage } from "./engine/model";
export type { Entry } from "./engine/outbox";
export type { Listener } from "./feed";
export type * from "./protocol/generated";
export type { Store } from "./store/store";
