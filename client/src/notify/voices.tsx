import type { Pages } from "../platform/pages";
import { goTo } from "../platform/route";
import { MessageToast } from "./MessageToast";
import type { Voices } from "./notifier";
import { notifying } from "./permission";
import { showToast } from "./toasts";

/** Toasts and notifications of this page; clicks on both open the conversation. */
export function browserVoices(pages: Pages): Voices {
  return {
    toast({ conversation, from, excerpt }) {
      const open = () => goTo(conversation);
      const content = () => <MessageToast from={from} excerpt={excerpt} onOpen={open} />;
      showToast((toast) => toast.custom(content, { id: conversation }));
    },
    notification({ conversation, from, excerpt }) {
      const options = { body: excerpt, tag: conversation, renotify: true, icon: "/favicon.svg" };
      const shown = new Notification(from, options);
      shown.onclick = () => {
        window.focus();
        goTo(conversation);
        shown.close();
      };
    },
    inView: () => document.visibilityState === "visible",
    mayNotify: async () => notifying() === "on" && (await pages.mayNotify()),
  };
}
