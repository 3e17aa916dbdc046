import { useEffect, useMemo, useState } from "react";
import { pinnedMessages } from "../../../sdk/engine/pinned-messages";
import type { ConversationId } from "../../../sdk/protocol/generated";
import type { Message } from "../../../sdk/protocol/message";
import { useCommands, useSelect } from "../../../ui/use-app";

interface PinnedMessages {
  readonly messages: readonly Message[];
  /** What becomes of those that are not here yet. */
  readonly missing: "none" | "loading" | "failed";
}

/** What the server has answered so far, last when these were pinned. */
interface Answer {
  readonly pinned: readonly number[];
  readonly messages: readonly Message[];
}

/** The messages with these numbers, in this order: those held, and the others from the server. */
export function usePinnedMessages(
  conversation: ConversationId,
  held: readonly Message[],
  pinned: readonly number[],
): PinnedMessages {
  const commands = useCommands();
  const connected = useSelect((state) => state.link === "open");
  const [answer, setAnswer] = useState<Answer | null>(null);
  const known = useMemo(
    () => new Map([...(answer?.messages ?? []), ...held].map((one) => [one.seq, one])),
    [answer, held],
  );
  const messages = pinned.flatMap((seq) => known.get(seq) ?? []);
  const lacking = messages.length < pinned.length;

  useEffect(() => {
    if (!lacking || !connected) return;
    let current = true;
    const answered = (found: readonly Message[] | null) => {
      if (current) setAnswer((held) => ({ pinned, messages: found ?? held?.messages ?? [] }));
    };
    const fetchPage = (before: number | null) => commands.pinnedPage(conversation, before);
    pinnedMessages(fetchPage).then(answered, () => answered(null));
    return () => {
      current = false;
    };
  }, [commands, conversation, pinned, lacking, connected]);

  const isAnswered = answer?.pinned === pinned;
  return { messages, missing: !lacking ? "none" : isAnswered ? "failed" : "loading" };
}
