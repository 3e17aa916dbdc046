import type { Check } from "../protocol/checks";
import {
  isConversation,
  isConversations,
  isHistory,
  isPeople,
  isProblem,
  isPushKey,
  isSession,
  parse,
} from "../protocol/decode";
import type {
  Code,
  Conversation,
  ConversationId,
  Conversations,
  History,
  LogIn,
  People,
  PushKey,
  Session,
  SetPassword,
  SetVisibility,
  UserId,
} from "../protocol/generated";

/** A request that was refused, or that got no usable answer. */
export class ApiError extends Error {
  constructor(
    /** `unreachable`: there was no answer, or none of this server. */
    readonly code: Code | "unreachable",
    message: string,
    readonly field?: string,
    readonly retryAfterMs?: number,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** Whether the same request may well succeed later. */
  get passing(): boolean {
    return ["unreachable", "busy", "rate_limited", "storage_unavailable"].includes(this.code);
  }
}

/** Where a page of history begins or ends. */
export type HistoryRange = { readonly before: number } | { readonly after: number };

/** A request not answered by then is given up. */
export const REQUEST_MS = 15_000;

type Fetch = (path: string, init: RequestInit) => Promise<Response>;

/** The HTTP API. Every method rejects with an `ApiError`, and nothing else. */
export class Api {
  constructor(private readonly fetch: Fetch) {}

  logIn(body: LogIn): Promise<Session> {
    return this.ask("POST", "/api/session", isSession, body);
  }

  session(): Promise<Session> {
    return this.ask("GET", "/api/session", isSession);
  }

  logOut(): Promise<void> {
    return this.tell("DELETE", "/api/session");
  }

  setPassword(body: SetPassword): Promise<void> {
    return this.tell("PUT", "/api/session/password", body);
  }

  setVisibility(body: SetVisibility): Promise<void> {
    return this.tell("PUT", "/api/session/visibility", body);
  }

  /** Who is online and begins with `q`, by name. */
  onlinePeople(q: string, after: string | null): Promise<People> {
    return this.ask("GET", `/api/users${query({ online: true, q, after })}`, isPeople);
  }

  /** Everybody whose name begins with `q`, here or not; the first of them by name. */
  people(q: string): Promise<People> {
    return this.ask("GET", `/api/users${query({ q })}`, isPeople);
  }

  openConversation(user: UserId): Promise<Conversation> {
    return this.ask("POST", "/api/conversations", isConversation, { user });
  }

  conversations(before: string | null): Promise<Conversations> {
    return this.ask("GET", `/api/conversations${query({ before })}`, isConversations);
  }

  conversation(id: ConversationId): Promise<Conversation> {
    return this.ask("GET", `/api/conversations/${encodeURIComponent(id)}`, isConversation);
  }

  history(id: ConversationId, range: HistoryRange, limit: number): Promise<History> {
    const path = `/api/conversations/${encodeURIComponent(id)}/messages`;
    return this.ask("GET", path + query({ ...range, limit }), isHistory);
  }

  /** What browsers subscribe to pushes with, where the server sends any. */
  pushKey(): Promise<PushKey> {
    return this.ask("GET", "/api/push", isPushKey);
  }

  /** `subscription` as a browser's `toJSON` gives it. */
  subscribe(subscription: object): Promise<void> {
    return this.tell("PUT", "/api/push/subscription", subscription);
  }

  unsubscribe(): Promise<void> {
    return this.tell("DELETE", "/api/push/subscription");
  }

  private async ask<T>(method: string, path: string, check: Check<T>, body?: object): Promise<T> {
    const answer = parse(await this.request(method, path, body));
    if (!check(answer)) throw unreachable();
    return answer;
  }

  private async tell(method: string, path: string, body?: object): Promise<void> {
    await this.request(method, path, body);
  }

  /** The text of a good answer. */
  private async request(method: string, path: string, body?: object): Promise<string> {
    const init: RequestInit = { method, signal: AbortSignal.timeout(REQUEST_MS) };
    if (body !== undefined) {
      init.headers = { "Content-Type": "application/json" };
      init.body = JSON.stringify(body);
    }
    let text: string;
    let good: boolean;
    try {
      const response = await this.fetch(path, init);
      good = response.ok;
      text = await response.text();
    } catch {
      throw unreachable();
    }
    if (good) return text;
    const problem = parse(text);
    if (!isProblem(problem)) throw unreachable();
    throw new ApiError(problem.code, problem.message, problem.field, problem.retry_after_ms);
  }
}

function unreachable(): ApiError {
  return new ApiError("unreachable", "The server cannot be reached. Try again in a moment.");
}

/** Leaves out what is `null` or empty. */
function query(fields: Record<string, string | number | boolean | null>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}
