import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { Marking } from "../format/marking";
import { isTouched } from "../platform/browser";
import { onDraft, readDraft, writeDraft } from "../platform/kept";
import type { ConversationId, User } from "../sdk/protocol/generated";
import { text } from "../text/text";
import { EmojiButton } from "./EmojiButton";
import { SendIcon } from "./Icons";
import { useCommands, useSelect } from "./use-app";
import { useGrowing } from "./use-growing";
import { storable, withoutPiles } from "./writing";

/** From this part of the limit on, the count is shown. */
const NEARLY_FULL = 0.9;
/** A text this many times too long is cut: a browser takes seconds for lines by the ten thousand. */
const FAR_TOO_LONG = 2;

/** With Ctrl or Command. */
const MARKINGS: ReadonlyMap<string, Marking> = new Map([
  ["b", "bold"],
  ["i", "italic"],
  ["e", "code"],
]);

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
  const counted = length >= limit * NEARLY_FULL;
  useGrowing(field, typed);

  // Not on a phone, where the keyboard would cover what one came to read.
  useEffect(() => {
    const { current } = field;
    if (current === null || !hasKeyboard()) return;
    current.focus();
    // A draft is gone on with at its end.
    current.setSelectionRange(current.value.length, current.value.length);
    current.scrollTop = current.scrollHeight;
  }, []);

  useEffect(() => onDraft(me.id, conversation, setTyped), [me.id, conversation]);

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

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>) {
    // What ends a composition (of Japanese, say) is not meant for us; Safari says so by a code only.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    const command = (event.ctrlKey || event.metaKey) && !event.altKey;
    const marking = command && !event.shiftKey && MARKINGS.get(event.key.toLowerCase());
    if (marking) {
      event.preventDefault();
      const { currentTarget } = event;
      void import("./field").then(({ mark }) => mark(currentTarget, marking));
    } else if (event.key === "Enter" && !event.shiftKey && (command || hasKeyboard())) {
      event.preventDefault();
      send();
    }
  }

  return (
    <form
      className="column relative flex items-end gap-1 border-t border-line bg-surface py-3 pb-[max(0.75rem,env(safe-area-inset-bottom))]"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <EmojiButton field={field} />
      <div className="min-w-0 flex-1">
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          className="field field-sizing-content block max-h-40 resize-none"
          placeholder={text.composer.placeholder}
          aria-label={text.composer.label(partner.name)}
          aria-describedby={counted ? "composer-length" : undefined}
          aria-invalid={length > limit || undefined}
          enterKeyHint={hasKeyboard() ? "send" : "enter"}
          maxLength={limit * FAR_TOO_LONG}
          value={typed}
          onChange={(event) => change(event.target.value)}
          onKeyDown={onKeyDown}
          data-testid="composer"
        />
        <p
          id="composer-length"
          role="status"
          className={`${length > limit ? "text-bad" : "text-soft"} mt-1 text-sm`}
          hidden={!counted}
        >
          {counted && lengthText(length, limit, typed.length >= limit * FAR_TOO_LONG)}
        </p>
      </div>
      <button
        type="submit"
        className="button-main ml-1 px-3"
        disabled={!sendable}
        aria-label={text.composer.send}
        // The field keeps the focus, and a phone its keyboard.
        onPointerDown={(event) => event.preventDefault()}
        data-testid="send-button"
      >
        <SendIcon className="size-6" />
      </button>
    </form>
  );
}

function lengthText(length: number, limit: number, cut: boolean): string {
  if (cut) return text.composer.cut(limit * FAR_TOO_LONG);
  return length > limit
    ? text.composer.tooLong(length - limit)
    : text.composer.length(length, limit);
}

/**
 * Whether Enter sends. On a phone it begins a line, as its keyboard has no other key for that,
 * and the button sends.
 */
function hasKeyboard(): boolean {
  return !isTouched();
}
