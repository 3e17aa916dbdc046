/**
 * Tidings without a page: see README.md for programs. The path of a message:
 *
 *   features/conversation/Composer    what the user writes
 *     → engine/engine `write`         becomes an entry of the outbox: an event for the store
 *     → store/reduce                  (event, state) → state; outbox/outbox and timeline/log do the work
 *     → engine/outbox-sender          stores the entry, and sends it when outbox/token-bucket allows
 *     → connection/connection, socket as a `send` frame of protocol/generated; reconnects and resends
 *   server, which answers `stored` to the sender and sends an `event` to the others
 *     → connection/socket             protocol/decode checks the frame
 *     → engine/engine `onFrame`       fills gaps (engine/fetcher), sends receipts, saves snapshots
 *     → store/reduce-frame            moves the entry from the outbox to the log, or adds the message
 *     → store/selectors, timeline/rows read by features through `useSyncExternalStore` (ui/use-app)
 *
 * Whatever else is part of a conversation, such as a pin, goes the same way (`pin` in place of `write`),
 * and ends in timeline/pins.
 *
 * Imports point one way: engine → store → {timeline → outbox, connection} → protocol.
 * `src/architecture.test.ts` holds all of the client to its table.
 */
export { Client, connect, type Options, type WebSocketWithHeaders } from "./client";
export { ApiError } from "./connection/api";
export type { OutboxStorage } from "./engine/ports";
export type { Listener } from "./feed";
export type { Entry } from "./outbox/outbox";
export type * from "./protocol/generated";
export type { Message, Pin } from "./protocol/message";
export type { ConversationSummary, State } from "./store/state";
export type { Store } from "./store/store";
