import { toast } from "sonner";
import type { Pages } from "../platform/pages";
import { goTo } from "../platform/route";
import type { ConversationId } from "../sdk/protocol/generated";
import { MessageToast } from "./MessageToast";
import type { Voices } from "./notifier";
import { notifying } from "./permission";

/** Toasts and notifications of this page; clicks on both open the conversation. */
export function browserVoices(pages: Pages): Voices {
  return {
    toast({ conversation, from, excerpt }) {
      const open = () => goTo(conversation);
      toast.custom(() => <MessageToast from={from} excerpt={excerpt} onOpen={open} />, {
        id: conversation,
      });
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

/** The toast of a conversation that comes to the front has told all it can. */
export function dismissToast(conversation: ConversationId): void {
  toast.dismiss(conversation);
}
