import type { Check } from "../protocol/checks";
import {
  isConversation,
  isConversations,
  isHistory,
  isPeople,
  isProblem,
  isPushKey,
  isSession,
  isSessionOrNone,
  isSessions,
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
  Rule,
  Session,
  Sessions,
  SetPassword,
  SetVisibility,
  UserId,
} from "../protocol/generated";
import { ProgressTimeout, textOf } from "./progress-timeout";

/** A request was refused, or got no usable response. */
export class ApiError extends Error {
  constructor(
    /** `unreachable`: there was no response, or it was not from this server. */
    readonly code: Code | "unreachable",
    message: string,
    readonly field?: string,
    readonly retryAfterMs?: number,
    /** The rule that a name or password breaks. */
    readonly rule?: Rule,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** Whether the same request may succeed later. */
  get passing(): boolean {
    return ["unreachable", "busy", "rate_limited", "storage_unavailable"].includes(this.code);
  }
}

/** Where a page of history begins or ends. */
export type HistoryRange =
  | { readonly before: number }
  | { readonly after: number }
  | { readonly around: number }
  /** Only pinned messages: those before a number, or the last ones. */
  | { readonly pinned: true; readonly before: number | null };

/** A request is given up when nothing of its response arrived for this long. */
export const REQUEST_MS = 15_000;

/** A probe that is not answered by then has failed. */
const PROBE_MS = 3_000;

type Fetch = (path: string, init: RequestInit) => Promise<Response>;

/** The HTTP API. Every method rejects with an `ApiError`, and nothing else. */
export class Api {
  /** Calls `intercepted` when a proxy answers instead of Tidings, and asks for its own log-in. */
  constructor(
    private readonly fetch: Fetch,
    private readonly intercepted: () => void = () => {},
  ) {}

  logIn(body: LogIn): Promise<Session> {
    return this.ask("POST", "/api/session", isSession, body);
  }

  /** The session that this browser holds; `null` if it holds none. */
  async session(): Promise<Session | null> {
    const answer = await this.ask("GET", "/api/session", isSessionOrNone);
    return answer.user === null ? null : answer;
  }

  logOut(): Promise<void> {
    return this.tell("DELETE", "/api/session");
  }

  /** Where the user is logged in. */
  sessions(): Promise<Sessions> {
    return this.ask("GET", "/api/sessions", isSessions);
  }

  endSession(id: string): Promise<void> {
    return this.tell("DELETE", `/api/sessions/${encodeURIComponent(id)}`);
  }

  /** Logs out everywhere, here too. */
  endSessions(): Promise<void> {
    return this.tell("DELETE", "/api/sessions");
  }

  /** Resolves to the session's new token, where it is not held by a cookie. */
  async setPassword(body: SetPassword): Promise<string | null> {
    const answer = parse(await this.request("PUT", "/api/session/password", body));
    return isSession(answer) ? (answer.token ?? null) : null;
  }

  setVisibility(body: SetVisibility): Promise<void> {
    return this.tell("PUT", "/api/session/visibility", body);
  }

  /** Users online with a word in their name that begins with `q`, by name. */
  onlinePeople(q: string, after: string | null): Promise<People> {
    return this.ask("GET", `/api/users${query({ online: true, q, after })}`, isPeople);
  }

  /** The first users, online or not, with a word in their name that begins with `q`. */
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

  /** The key that browsers subscribe to pushes with, if the server sends any. */
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

  /** Whether the server answers a request that costs it next to nothing. */
  async answers(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(PROBE_MS);
      const { ok } = await this.fetch("/healthz", { ...FROM_HERE, signal });
      return ok;
    } catch {
      return false;
    }
  }

  private async ask<T>(method: string, path: string, check: Check<T>, body?: object): Promise<T> {
    const answer = parse(await this.request(method, path, body));
    if (!check(answer)) throw unreachable();
    return answer;
  }

  private async tell(method: string, path: string, body?: object): Promise<void> {
    await this.request(method, path, body);
  }

  /** The text of a successful response. */
  private async request(method: string, path: string, body?: object): Promise<string> {
    const timeout = new ProgressTimeout(REQUEST_MS);
    const init: RequestInit = { ...FROM_HERE, method, signal: timeout.signal };
    if (body !== undefined) {
      init.headers = { "Content-Type": "application/json" };
      init.body = JSON.stringify(body);
    }
    let text: string;
    let response: Response;
    try {
      response = await this.fetch(path, init);
      timeout.renew();
      text = await textOf(response, timeout);
    } catch {
      throw unreachable();
    } finally {
      timeout.end();
    }
    if (response.ok && !isPage(response)) return text;
    const problem = parse(text);
    if (!isProblem(problem)) {
      if (asksToLogIn(response)) this.intercepted();
      throw unreachable();
    }
    throw new ApiError(
      problem.code,
      problem.message,
      problem.field,
      problem.retry_after_ms,
      problem.rule,
    );
  }
}

/** The server never redirects: whatever does is a proxy in front of it. */
const FROM_HERE = { redirect: "manual" } as const;

function isPage({ headers }: Response): boolean {
  return headers.get("content-type")?.startsWith("text/html") ?? false;
}

/** Whether a proxy wants its own log-in: it redirects to it, shows it, or refuses the request. */
function asksToLogIn(response: Response): boolean {
  const { type, status } = response;
  const leads = type === "opaqueredirect" || (status >= 300 && status < 400);
  return leads || status === 401 || status === 403 || (response.ok && isPage(response));
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
