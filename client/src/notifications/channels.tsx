import { goTo } from "../platform/route";
import type { Tabs } from "../platform/tabs";
import type { Channels } from "./notifier";
import { showToast } from "./toasts";

let loading: Promise<typeof import("./system-notifications")> | null = null;

/**
 * Loaded after the page, with everything else for the background. All wait for one promise: a
 * second import may be ready before the first, which waits for what it preloads, and a later
 * notification that comes first takes the place of an earlier one. If loading fails, the next
 * use tries again.
 */
function systemNotifications(): Promise<typeof import("./system-notifications")> {
  loading ??= import("./system-notifications").catch((error: unknown) => {
    loading = null;
    throw error;
  });
  return loading;
}

/** Toasts, sounds and notifications of this browser; a click opens the conversation. */
export function browserChannels(tabs: Tabs): Channels {
  return {
    toast({ conversation, from, excerpt }) {
      const open = () => goTo(conversation);
      showToast((toast, Message) => {
        const content = () => <Message from={from} excerpt={excerpt} onOpen={open} />;
        toast.custom(content, { id: conversation });
      });
    },
    sound: (conversation) =>
      void systemNotifications().then((loaded) => loaded.sound(conversation, tabs)),
    notification: (news) => void systemNotifications().then((loaded) => loaded.notify(news, tabs)),
    isVisible: () => document.visibilityState === "visible",
    speaksForAll: () => tabs.mayNotify(),
  };
}
