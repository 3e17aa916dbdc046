import { text } from "../../i18n/i18n";
import { showToast } from "../../notifications/toasts";
import { goTo } from "../../platform/route";
import type { User } from "../../sdk/protocol/generated";
import { partnerOf } from "../../sdk/store/selectors";
import { useCommands, useSelect } from "../../ui/use-app";

/** Returns a function that opens the conversation with somebody: offline, too, if there is one already. */
export function useOpenConversation(me: User): (user: User) => Promise<void> {
  const commands = useCommands();
  const conversations = useSelect((state) => state.conversations);
  return async (user) => {
    for (const conversation of conversations.values()) {
      if (partnerOf(conversation, me.id)?.user.id === user.id) return goTo(conversation.id);
    }
    const opened = await commands.openWith(user.id);
    if (typeof opened === "string") goTo(opened);
    else showToast((toast) => toast.error(text.problem(opened.code, opened.message)));
  };
}
