import { memo } from "react";
import { text } from "../../../i18n/i18n";
import type { Message } from "../../../sdk/protocol/message";
import { useCommands } from "../../../ui/use-app";
import { type Action, actionsOf, type OpenMenu } from "./actions";

interface Props {
  readonly message: Message;
  readonly mine: boolean;
  readonly pinned: boolean;
  readonly onMenu: OpenMenu;
}

/**
 * The actions used most, as buttons over the corner of a message that is hovered or has the
 * focus, and the way to the others. Where nothing can hover, that is all there is. None is a stop
 * for Tab, or there would be some for each message: they have keys, see `RowFocus`.
 */
export const MessageActions = memo(function MessageActions(props: Props) {
  const { message, mine, pinned, onMenu } = props;
  const [pin, copy] = actionsOf(message, pinned, useCommands());
  return (
    <div className={`message-actions ${mine ? "end-2" : "start-2"}`}>
      <ActionButton action={pin} />
      <ActionButton action={copy} />
      <button
        type="button"
        tabIndex={-1}
        className="message-action"
        aria-label={text.actions.more}
        aria-haspopup="menu"
        aria-keyshortcuts="m"
        title={text.actions.more}
        onClick={({ currentTarget }) => {
          const { left, bottom } = currentTarget.getBoundingClientRect();
          onMenu(message.seq, { x: left, y: bottom });
        }}
        data-testid="more"
      >
        <svg viewBox="0 0 24 24" className="size-4" fill="currentColor" aria-hidden="true">
          <circle cx="5" cy="12" r="2" />
          <circle cx="12" cy="12" r="2" />
          <circle cx="19" cy="12" r="2" />
        </svg>
      </button>
    </div>
  );
});

function ActionButton({ action }: { readonly action: Action }) {
  return (
    <button
      type="button"
      tabIndex={-1}
      className="message-action used-most"
      aria-label={action.label}
      aria-keyshortcuts={action.key}
      title={action.label}
      onClick={action.act}
      data-testid={action.name}
    >
      {action.icon}
    </button>
  );
}
