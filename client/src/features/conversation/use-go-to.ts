import { useEffect } from "react";
import { indexOf, type Log } from "../../sdk/timeline/log";

/**
 * Goes to message number `target`: has the history loaded back to it, and calls `show` with its
 * index once it is held. Clears the target then, or when there is no such message.
 */
export function useGoTo(
  target: number | null,
  log: Log,
  load: (seq: number) => void,
  show: (index: number) => void,
  setTarget: (seq: null) => void,
): void {
  useEffect(() => {
    if (target !== null) load(target);
  }, [target, load]);

  useEffect(() => {
    if (target === null) return;
    const index = indexOf(log, target);
    if (index !== null) show(index);
    if (index !== null || log.base < target) setTarget(null);
  }, [target, log, show, setTarget]);
}
