import type { ReactNode } from "react";
import { text } from "../../../i18n/i18n";
import { showToast } from "../../../notifications/toasts";
import { copyText } from "../../../platform/clipboard";
import { linkTo } from "../../../platform/route";
import type { Message } from "../../../sdk/protocol/message";
import { PinIcon, Strokes } from "../../../ui/Icons";
import type { Commands } from "../../../ui/use-app";

/** A place on the page, in the coordinates of the viewport. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Opens the menu of a message. */
export type OpenMenu = (message: Message, at: Point) => void;

/** Something that can be done with a message. */
export interface Action {
  readonly name: string;
  readonly label: string;
  /** The key for it, while the message has the focus. */
  readonly key?: string;
  readonly icon: ReactNode;
  readonly act: () => void;
}

/** Everything that can be done with a message, the most used first. */
export function actionsOf(
  message: Message,
  pinned: boolean,
  commands: Pick<Commands, "pin">,
): readonly [pin: Action, copy: Action, ...others: Action[]] {
  const { conversation, seq, body } = message;
  return [
    {
      name: "pin",
      label: pinned ? text.pins.unpin : text.pins.pin,
      key: "p",
      icon: <PinIcon className="size-4" />,
      act: () => commands.pin(conversation, seq, !pinned),
    },
    {
      name: "copy",
      label: text.actions.copy,
      key: "c",
      icon: (
        <Strokes className="size-4">
          <path d="M9 9h10v11H9zM5 15V4h10" />
        </Strokes>
      ),
      act: () => void copy(body),
    },
    {
      name: "copy-link",
      label: text.actions.copyLink,
      icon: (
        <Strokes className="size-4">
          <path d="M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1" />
        </Strokes>
      ),
      act: () => void copy(linkTo(conversation, seq)),
    },
  ];
}

async function copy(what: string): Promise<void> {
  const { copied, notCopied } = text.actions;
  if (await copyText(what)) showToast((toast) => toast(copied, { id: "copied" }));
  else showToast((toast) => toast.error(notCopied, { id: "copied" }));
}
