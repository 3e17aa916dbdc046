import { type KeyboardEvent, lazy, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Marking } from "../../format/marking";
import { conversationTitle } from "../../i18n/conversation-title";
import { locale, text } from "../../i18n/i18n";
import { isTouched } from "../../platform/browser";
import { onDraft, readDraft, writeDraft } from "../../platform/drafts";
import type { ConversationId, User } from "../../sdk/protocol/generated";
import { SendIcon } from "../../ui/Icons";
import { signOf } from "../../ui/keys";
import { LazyBoundary } from "../../ui/LazyBoundary";
import { useCommands, useSelect } from "../../ui/use-app";
import { EmojiButton } from "./emoji/EmojiButton";
import { storable, withoutPiledMarks } from "./sanitize";
import { useAutosize } from "./use-autosize";

/** The part of the limit from which the count is shown. */
const NEARLY_FULL = 0.9;
/** A text longer than this many times the limit is cut: browsers take seconds for huge texts. */
const FAR_TOO_LONG = 2;

/** With Ctrl or Command. */
const MARKINGS: ReadonlyMap<string, Marking> = new Map([
  ["b", "bold"],
  ["i", "italic"],
  ["e", "code"],
]);

const EmojiCompletion = lazy(async () => ({
  default: (await import("./emoji/EmojiCompletion")).EmojiCompletion,
}));

/** The id of the field, which gets what is typed anywhere on the page. */
export const COMPOSER = "composer";

interface Props {
  readonly conversation: ConversationId;
  readonly partner: User;
  readonly me: User;
}

/** The field for new messages. Give it a `key` for each conversation, since it has a draft. */
export function Composer({ conversation, partner, me }: Props) {
  const commands = useCommands();
  const limit = useSelect((state) => state.limits.text_max_chars);
  const [typed, setTyped] = useState(() => readDraft(me.id, conversation));
  const field = useRef<HTMLTextAreaElement>(null);
  const body = storable(typed);
  const length = [...body].length;
  const sendable = body.trim() !== "" && length <= limit;
  const counted = length >= limit * NEARLY_FULL;
  useAutosize(field, typed);

  // Not on a phone, where the keyboard would cover the messages.
  useLayoutEffect(() => {
    const { current } = field;
    if (current === null || !hasKeyboard()) return;
    current.focus();
    // The caret goes to the end of the draft.
    current.setSelectionRange(current.value.length, current.value.length);
    current.scrollTop = current.scrollHeight;
  }, []);

  useEffect(() => onDraft(me.id, conversation, setTyped), [me.id, conversation]);

  function change(input: string) {
    const next = withoutPiledMarks(input);
    setTyped(next);
    writeDraft(me.id, conversation, next);
    if (next.trim() !== "" && partner.id !== me.id) commands.typing(conversation);
  }

  function send() {
    if (!sendable) return;
    commands.write(conversation, body);
    change("");
    field.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>) {
    // A key that ends an IME composition is not meant for us. In Safari only its code says so.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    const command = (event.ctrlKey || event.metaKey) && !event.altKey;
    const marking = command && !event.shiftKey && MARKINGS.get(signOf(event));
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
      className="column relative flex items-end gap-1 border-t border-line bg-surface py-3 pb-[max(0.75rem,env(safe-area-inset-bottom))] short:py-1 short:pb-[max(0.25rem,env(safe-area-inset-bottom))]"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <EmojiButton field={field} />
      {/* Loaded with the first colon, which may begin a shortcode. */}
      {typed.includes(":") && (
        <LazyBoundary>
          <EmojiCompletion field={field} typed={typed} />
        </LazyBoundary>
      )}
      <div className="min-w-0 flex-1">
        <textarea
          ref={field}
          id={COMPOSER}
          rows={1}
          dir="auto"
          className="field field-sizing-content block max-h-40 resize-none short:max-h-16"
          placeholder={text.composer.placeholder}
          aria-label={text.composer.label(conversationTitle(partner, me))}
          aria-autocomplete="list"
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
        data-tip={
          hasKeyboard() ? `${text.composer.send} (${text.shortcuts.keys.enter})` : undefined
        }
        data-tip-at="above end"
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
  const number = new Intl.NumberFormat(locale);
  const [written, most] = [number.format(length), number.format(limit)];
  if (cut) return text.composer.cut(number.format(limit * FAR_TOO_LONG));
  return length > limit
    ? text.composer.tooLong(number.format(length - limit), most)
    : text.composer.length(written, most);
}

/**
 * Whether Enter sends. On a phone it begins a new line, since there is no other key for that,
 * and the button sends.
 */
function hasKeyboard(): boolean {
  return !isTouched();
}
