import type { MessageState } from "../sdk/store/selectors";
import { text } from "../text/text";
import { AlertIcon, CheckIcon, ChecksIcon, ClockIcon, ReadIcon } from "./Icons";

const STATES: Record<MessageState, { icon: typeof CheckIcon; look: string }> = {
  pending: { icon: ClockIcon, look: "size-3.5 text-soft" },
  stored: { icon: CheckIcon, look: "size-3.5 text-soft" },
  delivered: { icon: ChecksIcon, look: "h-3.5 w-4.5 text-soft" },
  read: { icon: ReadIcon, look: "h-3.5 w-5 text-accent" },
  failed: { icon: AlertIcon, look: "size-3.5 text-bad" },
};

/** How far one's own message has come. */
export function Mark({ state }: { readonly state: MessageState }) {
  const { icon: Icon, look } = STATES[state];
  const label = text.states[state];
  return (
    <span role="img" aria-label={label} title={label} className="inline-flex shrink-0">
      <Icon className={look} />
    </span>
  );
}
