import { goTo } from "../platform/route";
import type { Tabs } from "../platform/tabs";
import type { Channels } from "./notifier";
import { showToast } from "./toasts";

/** Loaded after the page, with everything else for the background. */
const systemNotifications = () => import("./system-notifications");

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
