/**
 * Aborts work that makes no progress: every sign of progress starts the timeout
 * again, so that a slow link takes as long as it needs.
 */
export class ProgressTimeout {
  private readonly given = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly ms: number) {
    this.renew();
  }

  /** Aborts when the timeout is over. */
  get signal(): AbortSignal {
    return this.given.signal;
  }

  /** To be called when something arrived. */
  renew(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.given.abort(), this.ms);
  }

  end(): void {
    clearTimeout(this.timer);
  }
}

/** Bytes that any link brings before a timeout, so that no progress has to be seen. */
const SMALL = 8_192;

/**
 * The whole text of a response to a request with the timeout's signal; rejects when the timeout
 * is over. Only a long response is read in parts, since Chromium may report a request whose
 * response was read so as cancelled.
 */
export async function textOf(response: Response, timeout: ProgressTimeout): Promise<string> {
  const length = Number(response.headers.get("content-length") ?? SMALL);
  if (length < SMALL) return response.text();
  const { signal } = timeout;
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const stop = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", stop);
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    signal.throwIfAborted();
    if (done) return text + decoder.decode();
    timeout.renew();
    text += decoder.decode(value, { stream: true });
  }
}
