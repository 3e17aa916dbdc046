import { type ComponentType, useCallback, useState } from "react";
import { withLazyTexts } from "../i18n/i18n";

interface LazyDialog<Props> {
  /** The open dialog; `null` if none is open. */
  readonly Dialog: ComponentType<Props> | null;
  /** Whether the last dialog could not be loaded; opening it again retries. */
  readonly failed: boolean;
  readonly open: (load: () => Promise<ComponentType<Props>>) => void;
  readonly close: () => void;
}

/** A dialog that is loaded, with its texts, when it is opened. */
export function useLazyDialog<Props>(): LazyDialog<Props> {
  const [Dialog, setDialog] = useState<ComponentType<Props> | null>(null);
  const [failed, setFailed] = useState(false);
  const open = useCallback((load: () => Promise<ComponentType<Props>>) => {
    withLazyTexts(load()).then(
      (loaded) => {
        setDialog(() => loaded);
        setFailed(false);
      },
      () => setFailed(true),
    );
  }, []);
  const close = useCallback(() => setDialog(null), []);
  return { Dialog, failed, open, close };
}
