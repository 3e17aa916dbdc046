import type { Pages } from "../platform/pages";
import { goTo } from "../platform/route";
import { MessageToast } from "./MessageToast";
import type { Voices } from "./notifier";
import { showToast } from "./toasts";

/** What is outside of the page comes with the part that is loaded after it. */
const outside = () => import("./outside");

/** Toasts, sounds and notifications of this page; clicks open the conversation. */
export function browserVoices(pages: Pages): Voices {
  return {
    toast({ conversation, from, excerpt }) {
      const open = () => goTo(conversation);
      const content = () => <MessageToast from={from} excerpt={excerpt} onOpen={open} />;
      showToast((toast) => toast.custom(content, { id: conversation }));
    },
    sound: (conversation) => void outside().then((way) => way.sound(conversation, pages)),
    notification: (news) => void outside().then((way) => way.notify(news, pages)),
    inView: () => document.visibilityState === "visible",
    speaksForAll: () => pages.mayNotify(),
  };
}
