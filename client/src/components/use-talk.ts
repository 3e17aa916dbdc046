import { showToast } from "../notify/toasts";
import { goTo } from "../platform/route";
import type { User } from "../sdk/protocol/generated";
import { partnerOf } from "../sdk/store/selectors";
import { text } from "../text/text";
import { useCommands, useSelect } from "./use-app";

/** Opens the conversation with somebody, also while offline when there is one already. */
export function useTalk(me: User): (user: User) => Promise<void> {
  const commands = useCommands();
  const chats = useSelect((state) => state.chats);
  return async (user) => {
    for (const chat of chats.values()) {
      if (partnerOf(chat, me.id)?.user.id === user.id) return goTo(chat.id);
    }
    const opened = await commands.openWith(user.id);
    if (typeof opened === "string") goTo(opened);
    else showToast((toast) => toast.error(text.problem(opened.code, opened.message)));
  };
}
