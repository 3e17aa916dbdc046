import type { ReactNode } from "react";

interface Props {
  readonly className?: string;
}

interface StrokesProps extends Props {
  readonly viewBox?: string;
  readonly children: ReactNode;
}

/** The frame of an icon. One that only a later part of the page shows is drawn there. */
export function Strokes({ className = "size-5", viewBox = "0 0 24 24", children }: StrokesProps) {
  return (
    <svg
      viewBox={viewBox}
      className={className}
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const BackIcon = (props: Props) => (
  <Strokes {...props}>
    <path d="m15 5-7 7 7 7" />
  </Strokes>
);
export const DownIcon = (props: Props) => (
  <Strokes {...props}>
    <path d="M12 5v14m-6-6 6 6 6-6" />
  </Strokes>
);
export const CopyIcon = (props: Props) => (
  <Strokes {...props}>
    <path d="M9 9h10v11H9zM5 15V4h10" />
  </Strokes>
);
export const LinkIcon = (props: Props) => (
  <Strokes {...props}>
    <path d="M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1" />
  </Strokes>
);
export const ChevronIcon = (props: Props) => (
  <Strokes {...props}>
    <path d="m6 9 6 6 6-6" />
  </Strokes>
);
export const PinIcon = (props: Props) => (
  <Strokes {...props}>
    <path d="M9 4h6l-1 6 3 3v2H7v-2l3-3-1-6Zm3 11v5" />
  </Strokes>
);
export const SendIcon = (props: Props) => (
  <Strokes {...props}>
    <path d="M4 12 20 4l-5 16-4-7-7-1Zm7 1 4-4" />
  </Strokes>
);
export const SettingsIcon = (props: Props) => (
  <Strokes {...props}>
    <path d="M4 7h9m5 0h2M4 17h2m5 0h9M15.5 4.5v5m-7 5v5" />
  </Strokes>
);
export const KeyboardIcon = (props: Props) => (
  <Strokes {...props}>
    <path d="M5 6h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V8a2 2 0 0 1 2-2Zm2 4h.1m3.2 0h.1m3.2 0h.1m3.2 0h.1M8 14h8" />
  </Strokes>
);
export const BellIcon = (props: Props) => (
  <Strokes {...props}>
    <path d="M6 10a6 6 0 1 1 12 0c0 5 2 6 2 7H4c0-1 2-2 2-7Zm4 10a2 2 0 0 0 4 0" />
  </Strokes>
);
export const SmileIcon = (props: Props) => (
  <Strokes {...props}>
    <circle cx="12" cy="12" r="9" />
    <path d="M8.5 14.5a4.5 4.5 0 0 0 7 0M9 9.5v.1m6-.1v.1" />
  </Strokes>
);
export const CloseIcon = (props: Props) => (
  <Strokes {...props}>
    <path d="m6 6 12 12M18 6 6 18" />
  </Strokes>
);
export const ClockIcon = (props: Props) => (
  <Strokes {...props}>
    <circle cx="12" cy="12" r="8" />
    <path d="M12 8v4l3 2" />
  </Strokes>
);
export const CheckIcon = (props: Props) => (
  <Strokes {...props} viewBox="0 0 18 18">
    <path d="m3 9 4 4 8-9" />
  </Strokes>
);
export const ChecksIcon = (props: Props) => (
  <Strokes {...props} viewBox="0 0 22 18">
    <path d="m2 9 4 4 8-9m-4 8 1 1 8-9" />
  </Strokes>
);
export const AlertIcon = (props: Props) => (
  <Strokes {...props}>
    <path d="M12 4 3 20h18L12 4Zm0 6v4m0 3v.1" />
  </Strokes>
);

/** Two ticks on a filled shape, which differs from `ChecksIcon` even without colour. */
export function ReadIcon({ className = "size-5" }: Props) {
  return (
    <svg viewBox="0 0 26 18" className={className} aria-hidden="true">
      <rect width="26" height="18" rx="9" fill="currentColor" />
      <path
        d="m5 9.5 3.5 3.5 6-7m-2 6 1 1 6-7"
        fill="none"
        className="stroke-surface"
        strokeWidth="2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
