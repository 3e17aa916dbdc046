import { type ComponentType, type ReactNode, useCallback, useState } from "react";
import type { User } from "../sdk/protocol/generated";

interface PanelProps {
  readonly me: User;
  readonly onClose: () => void;
}

/** Dialogs of the page; each is loaded when it is asked for. */
const PANELS = {
  settings: async () => (await import("./settings/Settings")).Settings,
  shortcuts: async () => (await import("./Shortcuts")).Shortcuts,
  switcher: async () => (await import("./Switcher")).Switcher,
} satisfies Record<string, () => Promise<ComponentType<PanelProps>>>;

export type ShowPanel = (name: keyof typeof PANELS) => void;

interface Panels {
  /** What is open. */
  readonly panel: ReactNode;
  /** What was asked for last could not be loaded: it can be asked for again. */
  readonly failed: boolean;
  readonly show: ShowPanel;
}

/** The dialog that is open, if any. */
export function usePanels(me: User): Panels {
  const [Panel, setPanel] = useState<ComponentType<PanelProps> | null>(null);
  const [failed, setFailed] = useState(false);
  const close = useCallback(() => setPanel(null), []);
  const show = useCallback((name: keyof typeof PANELS) => {
    PANELS[name]().then(
      (Loaded) => {
        setPanel(() => Loaded);
        setFailed(false);
      },
      () => setFailed(true),
    );
  }, []);
  return { panel: Panel && <Panel me={me} onClose={close} />, failed, show };
}
