import type { Browser, Page } from "@playwright/test";

/** Tells how long the page's own thread has worked since it was asked last, in milliseconds. */
export async function workOf(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  let before = 0;
  const work = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    const total = metrics.find(({ name }) => name === "TaskDuration")?.value;
    if (total === undefined) throw new Error("the browser does not say how long it works");
    const spent = total - before;
    before = total;
    return spent * 1_000;
  };
  await work();
  return work;
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds of the processor, where the thread took any. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/**
 * How long each task of the page's own thread took meanwhile, the longest first: in
 * milliseconds of the processor. A frame is drawn in time when no task before it takes
 * longer than a frame lasts; by the clock, a machine that is busy with other things
 * is slow at everything.
 */
export async function tasksDuring(
  browser: Browser,
  page: Page,
  act: () => Promise<void>,
): Promise<number[]> {
  const categories = ["toplevel", "disabled-by-default-devtools.timeline"];
  await browser.startTracing(page, { categories });
  await act();
  const trace = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: TraceEvent[];
  };
  const threads = new Set(
    trace.traceEvents
      .filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain")
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  return trace.traceEvents
    .filter(({ name, pid, tid }) => name === "RunTask" && threads.has(`${pid} ${tid}`))
    .map(({ tdur = 0 }) => tdur / 1_000)
    .sort((a, b) => b - a);
}
