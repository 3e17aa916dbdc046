import { type MouseEvent, useRef } from "react";
import { excerptOf } from "../../../format/excerpt";
import { lazyText, text } from "../../../i18n/i18n";
import { exactTime, shortTime } from "../../../i18n/time";
import type { Message } from "../../../sdk/protocol/message";
import type { ConversationSummary } from "../../../sdk/store/state";
import { Dialog } from "../../../ui/Dialog";
import { useCommands, useSelect } from "../../../ui/use-app";
import { useToday } from "../../../ui/use-today";
import { usePinnedMessages } from "./use-pinned-messages";

export interface PinnedMessagesProps {
  readonly conversation: ConversationSummary;
  /** The messages held. */
  readonly messages: readonly Message[];
  /** The numbers of the pinned messages, the one pinned first in front. */
  readonly pinned: readonly number[];
  /** Called with the number of a message to go to. */
  readonly onGo: (seq: number) => void;
  readonly onClose: () => void;
}

/** The pinned messages of a conversation, the one pinned last on top. */
export function PinnedMessages(props: PinnedMessagesProps) {
  const { conversation, pinned, onGo, onClose } = props;
  const { pins } = lazyText;
  const commands = useCommands();
  const { messages, missing } = usePinnedMessages(conversation.id, props.messages, pinned);
  const list = useRef<HTMLUListElement>(null);
  const names = new Map(conversation.members.map(({ user }) => [user.id, user.name]));

  function unpin(seq: number) {
    commands.pin(conversation.id, seq, false);
    // The button that was pressed goes.
    list.current?.focus();
  }

  function go(event: MouseEvent<HTMLElement>, seq: number) {
    // Closed first: it gives the focus back, and the message gets it then.
    event.currentTarget.closest("dialog")?.close();
    onGo(seq);
  }

  return (
    <Dialog title={pins.title} onClose={onClose}>
      <ul
        ref={list}
        tabIndex={-1}
        aria-label={pins.title}
        className="divide-y divide-line px-5 outline-none"
        data-testid="pinned-messages"
      >
        {messages.toReversed().map((message) => (
          <Row
            key={message.seq}
            message={message}
            sender={names.get(message.sender) ?? ""}
            onGo={(event) => go(event, message.seq)}
            onUnpin={() => unpin(message.seq)}
          />
        ))}
      </ul>
      {pinned.length === 0 && <p className="px-5 py-4 text-sm text-soft">{pins.none}</p>}
      <Missing missing={missing} />
    </Dialog>
  );
}

interface RowProps {
  readonly message: Message;
  /** The name of the sender. */
  readonly sender: string;
  readonly onGo: (event: MouseEvent<HTMLElement>) => void;
  readonly onUnpin: () => void;
}

function Row({ message, sender, onGo, onUnpin }: RowProps) {
  const { pins } = lazyText;
  const { seq, at, body } = message;
  useToday();
  const describedBy = `pinned-${seq}`;
  return (
    <li className="py-3" data-testid="pinned-message" data-seq={seq}>
      <p className="flex items-baseline gap-2 text-sm">
        <bdi className="min-w-0 flex-1 truncate font-medium">{sender}</bdi>
        <time className="shrink-0 text-xs text-soft" dateTime={at} title={exactTime(at)}>
          {shortTime(at)}
        </time>
      </p>
      <p id={describedBy} dir="auto" className="line-clamp-3 text-sm wrap-anywhere">
        {excerptOf(body)}
      </p>
      <p className="mt-2 flex flex-wrap gap-2">
        <button
          type="button"
          className="button-quiet text-sm"
          aria-describedby={describedBy}
          onClick={onGo}
          data-testid="pinned-go"
        >
          {pins.goTo}
        </button>
        <button
          type="button"
          className="button-quiet text-sm"
          aria-describedby={describedBy}
          onClick={onUnpin}
          data-testid="pinned-unpin"
        >
          {pins.unpin}
        </button>
      </p>
    </li>
  );
}

/** Says why some messages are not in the list. */
function Missing({ missing }: { readonly missing: "none" | "loading" | "failed" }) {
  const connected = useSelect((state) => state.link === "open");
  if (missing === "none") return null;
  if (missing === "failed") {
    return (
      <p role="alert" className="px-5 py-4 text-sm text-bad">
        {lazyText.pins.failed}
      </p>
    );
  }
  return (
    <p role="status" className="px-5 py-4 text-sm text-soft">
      {connected ? lazyText.pins.loading : text.messages.olderOffline}
    </p>
  );
}
