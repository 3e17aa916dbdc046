import type { MessageState } from "../sdk/store/selectors";
import { AlertIcon, CheckIcon, ChecksIcon, ClockIcon, ReadIcon } from "./Icons";

const STATES: Record<MessageState, { label: string; icon: typeof CheckIcon; look: string }> = {
  pending: { label: "Waiting to be sent", icon: ClockIcon, look: "size-3.5 text-soft" },
  stored: { label: "Sent", icon: CheckIcon, look: "size-3.5 text-soft" },
  delivered: { label: "Delivered", icon: ChecksIcon, look: "h-3.5 w-4.5 text-soft" },
  read: { label: "Read", icon: ReadIcon, look: "h-3.5 w-5 text-accent" },
  failed: { label: "Not sent", icon: AlertIcon, look: "size-3.5 text-bad" },
};

/** How far one's own message has come. */
export function Mark({ state }: { readonly state: MessageState }) {
  const { label, icon: Icon, look } = STATES[state];
  return (
    <span role="img" aria-label={label} title={label} className="inline-flex shrink-0">
      <Icon className={look} />
    </span>
  );
}
