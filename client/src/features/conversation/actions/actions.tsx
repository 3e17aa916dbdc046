import type { ReactNode } from "react";
import { text } from "../../../i18n/i18n";
import { showToast } from "../../../notifications/toasts";
import { copyText } from "../../../platform/clipboard";
import { linkTo } from "../../../platform/route";
import type { Message } from "../../../sdk/protocol/message";
import { CopyIcon, LinkIcon, PinIcon } from "../../../ui/Icons";
import type { Commands } from "../../../ui/use-app";

/** A place on the page, in the coordinates of the viewport. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Opens the menu of the message with this number. */
export type OpenMenu = (seq: number, at: Point) => void;

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
      icon: <CopyIcon className="size-4" />,
      act: () => void copy(body),
    },
    {
      name: "copy-link",
      label: text.actions.copyLink,
      icon: <LinkIcon className="size-4" />,
      act: () => void copy(linkTo(conversation, seq)),
    },
  ];
}

async function copy(what: string): Promise<void> {
  const { copied, notCopied } = text.actions;
  if (await copyText(what)) showToast((toast) => toast(copied, { id: "copied" }));
  else showToast((toast) => toast.error(notCopied, { id: "copied" }));
}
