import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { readDraft, writeDraft } from "../platform/kept";
import type { ConversationId, User } from "../sdk/protocol/generated";
import { text } from "../text/text";
import { SendIcon } from "./Icons";
import { useCommands, useSelect } from "./use-app";
import { storable, withoutPiles } from "./writing";

/** From this part of the limit on, the count is shown. */
const NEARLY_FULL = 0.9;
/** A text this many times too long is cut: a browser takes seconds for lines by the ten thousand. */
const FAR_TOO_LONG = 2;

interface Props {
  readonly conversation: ConversationId;
  readonly partner: User;
  readonly me: User;
}

/** Where messages are written. Give it a `key`: its draft is that of one conversation. */
export function Composer({ conversation, partner, me }: Props) {
  const commands = useCommands();
  const limit = useSelect((state) => state.limits.text_max_chars);
  const [typed, setTyped] = useState(() => readDraft(me.id, conversation));
  const field = useRef<HTMLTextAreaElement>(null);
  const body = storable(typed);
  const length = [...body].length;
  const sendable = body.trim() !== "" && length <= limit;

  // Not on a phone, where the keyboard would cover what one came to read.
  useEffect(() => {
    if (matchMedia("(hover: hover)").matches) field.current?.focus();
  }, []);

  function change(input: string) {
    const next = withoutPiles(input);
    setTyped(next);
    writeDraft(me.id, conversation, next);
    if (next.trim() !== "") commands.typing(conversation);
  }

  function send() {
    if (!sendable) return;
    commands.write(conversation, body);
    change("");
    field.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent) {
    // An Enter that ends a composition (of Japanese, say) is not meant for us.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  }

  return (
    <form
      className="column flex items-end gap-2 border-t border-line bg-surface py-3 pb-[max(0.75rem,env(safe-area-inset-bottom))]"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="min-w-0 flex-1">
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          className="field field-sizing-content block max-h-40 resize-none"
          placeholder={text.composer.placeholder}
          aria-label={text.composer.label(partner.name)}
          aria-describedby="composer-length"
          maxLength={limit * FAR_TOO_LONG}
          value={typed}
          onChange={(event) => change(event.target.value)}
          onKeyDown={onKeyDown}
          data-testid="composer"
        />
        <p
          id="composer-length"
          className={length > limit ? "mt-1 text-sm text-bad" : "mt-1 text-xs text-soft"}
          hidden={length < limit * NEARLY_FULL}
        >
          {text.composer.length(length, limit)}
        </p>
      </div>
      <button
        type="submit"
        className="button-main px-3"
        disabled={!sendable}
        aria-label={text.composer.send}
        data-testid="send-button"
      >
        <SendIcon className="size-6" />
      </button>
    </form>
  );
}
