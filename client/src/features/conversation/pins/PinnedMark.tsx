import { text } from "../../../i18n/i18n";
import { LabelledIcon } from "../../../ui/DeliveryStatus";
import { PinIcon } from "../../../ui/Icons";

/** Says that a message is pinned. */
export function PinnedMark() {
  return (
    <LabelledIcon label={text.pins.pinned}>
      <PinIcon className="size-3.5 text-accent" />
    </LabelledIcon>
  );
}
