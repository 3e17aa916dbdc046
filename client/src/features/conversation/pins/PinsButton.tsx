import { text } from "../../../i18n/i18n";
import type { Message } from "../../../sdk/protocol/message";
import type { ConversationSummary } from "../../../sdk/store/state";
import { PinIcon } from "../../../ui/Icons";
import { useLazyDialog } from "../../../ui/use-lazy-dialog";
import type { PinnedMessagesProps } from "./PinnedMessages";

interface Props {
  readonly conversation: ConversationSummary;
  /** The messages held. */
  readonly messages: readonly Message[];
  /** The numbers of the pinned messages, the one pinned first in front. */
  readonly pinned: readonly number[];
  /** Called with the number of a message to go to. */
  readonly onGo: (seq: number) => void;
  /** Called when the button goes that has the focus. */
  readonly onGone: () => void;
}

const load = async () => (await import("./PinnedMessages")).PinnedMessages;

/** Says how many messages are pinned, if any are, and opens the list of them. */
export function PinsButton({ onGone, ...props }: Props) {
  const { Dialog, failed, open, close } = useLazyDialog<PinnedMessagesProps>();
  const count = props.pinned.length;
  // While the list is open, the button waits to get the focus back.
  if (count === 0 && Dialog === null) return null;

  function onClose() {
    close();
    if (count === 0) onGone();
  }

  return (
    <>
      <button
        type="button"
        className="ms-auto flex shrink-0 items-center gap-1.5 rounded-lg px-2 py-1.5 text-sm text-soft hover:bg-raised hover:text-ink"
        aria-haspopup="dialog"
        onClick={() => open(load)}
        data-testid="pins-open"
      >
        <PinIcon className="size-4" />
        {text.pins.count(count)}
      </button>
      {failed && (
        <p role="alert" className="notice absolute end-3 top-full z-20 mt-2 bg-bad-soft text-bad">
          {text.page.notLoaded}
        </p>
      )}
      {Dialog && <Dialog {...props} onClose={onClose} />}
    </>
  );
}
