import { type ComponentType, type ReactNode, useCallback } from "react";
import type { User } from "../sdk/protocol/generated";
import { useLazyDialog } from "../ui/use-lazy-dialog";

interface PanelProps {
  readonly me: User;
  readonly onClose: () => void;
}

/** The dialogs of the page; each is loaded when it is opened. */
const PANELS = {
  settings: async () => (await import("../features/settings/Settings")).Settings,
  shortcuts: async () => (await import("./Shortcuts")).Shortcuts,
  switcher: async () => (await import("../features/list/QuickSwitcher")).QuickSwitcher,
} satisfies Record<string, () => Promise<ComponentType<PanelProps>>>;

export type ShowPanel = (name: keyof typeof PANELS) => void;

interface Panels {
  /** The open dialog. */
  readonly panel: ReactNode;
  /** Whether the last dialog could not be loaded; opening it again retries. */
  readonly failed: boolean;
  readonly show: ShowPanel;
}

/** The dialog that is open, if any. */
export function usePanels(me: User): Panels {
  const { Dialog, failed, open, close } = useLazyDialog<PanelProps>();
  const show = useCallback((name: keyof typeof PANELS) => open(PANELS[name]), [open]);
  return { panel: Dialog && <Dialog me={me} onClose={close} />, failed, show };
}
