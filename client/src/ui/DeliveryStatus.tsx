import type { ReactNode } from "react";
import { text } from "../i18n/i18n";
import type { DeliveryState } from "../sdk/store/selectors";
import { AlertIcon, CheckIcon, ChecksIcon, ClockIcon, ReadIcon } from "./Icons";

const STATES: Record<DeliveryState, { icon: typeof CheckIcon; look: string }> = {
  pending: { icon: ClockIcon, look: "size-3.5 text-soft" },
  stored: { icon: CheckIcon, look: "size-3.5 text-soft" },
  delivered: { icon: ChecksIcon, look: "h-3.5 w-4.5 text-soft" },
  read: { icon: ReadIcon, look: "h-3.5 w-5 text-accent" },
  failed: { icon: AlertIcon, look: "size-3.5 text-bad" },
};

/** The icon of how far one's own message has got: sent, delivered, read, … */
export function DeliveryStatus({ state }: { readonly state: DeliveryState }) {
  const { icon: Icon, look } = STATES[state];
  return (
    <LabelledIcon label={text.states[state]}>
      <Icon className={look} />
    </LabelledIcon>
  );
}

interface LabelledIconProps {
  readonly label: string;
  readonly children: ReactNode;
}

/** An icon that says something. */
export function LabelledIcon({ label, children }: LabelledIconProps) {
  return (
    <span role="img" aria-label={label} title={label} className="inline-flex shrink-0">
      {children}
    </span>
  );
}
