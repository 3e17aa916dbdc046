import type { EngineState } from "../engine/model";
import { EMPTY_OUTBOX } from "../engine/outbox";
import { UNKNOWN } from "../engine/presence";
import type { Limits } from "../protocol/generated";

export type State = EngineState;

/** What holds until the server's `welcome` says otherwise. */
const LIMITS: Limits = {
  text_max_chars: 4_000,
  unacknowledged_sends: 32,
  sends_per_second: 5,
  sends_burst: 20,
  typing_interval_ms: 3_000,
  typing_expiry_ms: 6_000,
  receipt_interval_ms: 300,
  reconnect_min_ms: 500,
  reconnect_max_ms: 20_000,
  history_page_max: 100,
};

export const INITIAL: State = {
  stage: { kind: "starting" },
  link: "closed",
  ending: null,
  epoch: null,
  limits: LIMITS,
  presence: UNKNOWN,
  lastSeen: new Map(),
  people: new Map(),
  chats: new Map(),
  listed: false,
  caughtUp: false,
  moreChats: null,
  logs: new Map(),
  outbox: EMPTY_OUTBOX,
  typing: new Map(),
  open: null,
};
