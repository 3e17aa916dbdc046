import { text } from "../../../i18n/i18n";
import type { Message } from "../../../sdk/protocol/message";
import { LabelledIcon } from "../../../ui/DeliveryStatus";
import { PinIcon } from "../../../ui/Icons";
import { useCommands } from "../../../ui/use-app";

interface Props {
  readonly message: Message;
  readonly pinned: boolean;
}

/**
 * Pins the message that it stands beside, or unpins it. It is no stop for Tab, or there would be
 * one for each message: it has a key, see `RowFocus`.
 */
export function PinButton({ message, pinned }: Props) {
  const commands = useCommands();
  const label = pinned ? text.pins.unpin : text.pins.pin;
  return (
    <button
      type="button"
      tabIndex={-1}
      className="beside"
      aria-label={label}
      aria-keyshortcuts="p"
      title={label}
      onClick={() => commands.pin(message.conversation, message.seq, !pinned)}
      data-testid="pin"
    >
      <PinIcon className="size-4" />
    </button>
  );
}

/** Says that a message is pinned. */
export function PinnedMark() {
  return (
    <LabelledIcon label={text.pins.pinned}>
      <PinIcon className="size-3.5 text-accent" />
    </LabelledIcon>
  );
}
