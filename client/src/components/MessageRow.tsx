import { memo, type RefCallback, useMemo, useState } from "react";
import type { Entry } from "../sdk/engine/outbox";
import type { Line, MessageState } from "../sdk/store/selectors";
import { text } from "../text/text";
import { linkify } from "./links";
import { Mark } from "./Mark";
import { dayOf, exactTime, timeOfDay } from "./time";
import { useCommands } from "./use-app";

/** A text longer than this, or with more lines, is folded at first. */
const FOLD_CHARS = 1_500;
const FOLD_LINES = 24;

interface Props {
  readonly line: Line;
  readonly state: MessageState;
  /** Whether what is new to the reader begins with it. */
  readonly fresh: boolean;
  /** Watches the end of a message, once it may count as seen. */
  readonly watchEnd: RefCallback<HTMLElement> | null;
  /** Told before a long text shows more or less of itself. */
  readonly unfolding: () => void;
}

/** One message, and what begins with it: a new day, what is new to the reader. */
export const MessageRow = memo(function MessageRow(props: Props) {
  const { line, state, fresh, watchEnd, unfolding } = props;
  const { mine, at, message, entry } = line;
  return (
    <div className="px-3 pb-1.5 sm:px-6">
      {line.day && <Day at={at} />}
      {fresh && <New />}
      <div className={`flex ${mine ? "justify-end" : "justify-start"}`}>
        <article
          data-testid="message"
          data-seq={message?.seq}
          data-state={state}
          data-mine={mine}
          className={`max-w-[85%] min-w-0 overflow-hidden rounded-2xl border px-3 py-2 sm:max-w-[70%] ${
            mine
              ? "rounded-br-md border-transparent bg-mine"
              : "rounded-bl-md border-line bg-theirs"
          }`}
        >
          <Body body={line.body} unfolding={unfolding} />
          <footer className="mt-0.5 flex items-center justify-end gap-1.5 text-xs text-soft">
            <time dateTime={at} title={exactTime(at)}>
              {timeOfDay(at)}
            </time>
            {mine && <Mark state={state} />}
          </footer>
          {message !== undefined && (
            <span ref={watchEnd} data-end={message.seq} className="block h-px" />
          )}
        </article>
      </div>
      {entry?.state === "failed" && <Failed entry={entry} />}
    </div>
  );
});

function Day({ at }: { readonly at: string }) {
  return (
    <p className="flex justify-center py-3">
      <time className="rounded-full bg-raised px-3 py-1 text-xs text-soft" dateTime={at}>
        {dayOf(at)}
      </time>
    </p>
  );
}

function New() {
  return (
    <p
      className="flex items-center gap-3 pt-1 pb-3 text-xs font-semibold text-accent"
      data-testid="new-messages"
    >
      <span className="h-px flex-1 bg-accent opacity-40" />
      {text.messages.fresh}
      <span className="h-px flex-1 bg-accent opacity-40" />
    </p>
  );
}

interface BodyProps {
  readonly body: string;
  readonly unfolding: () => void;
}

/** Text as text, never as markup; addresses can be followed. */
function Body({ body, unfolding }: BodyProps) {
  const [unfolded, setUnfolded] = useState(false);
  const pieces = useMemo(() => linkify(body), [body]);
  const long = body.length > FOLD_CHARS || body.split("\n", FOLD_LINES + 1).length > FOLD_LINES;
  const folded = long && !unfolded;
  return (
    <>
      <p
        dir="auto"
        className={`wrap-anywhere whitespace-pre-wrap ${folded ? "max-h-72 overflow-hidden" : ""}`}
      >
        {pieces.map((piece, index) =>
          piece.href === undefined ? (
            piece.text
          ) : (
            <a
              // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a text never change places.
              key={index}
              href={piece.href}
              target="_blank"
              rel="noopener noreferrer"
              className="text-accent underline underline-offset-2"
            >
              {piece.text}
            </a>
          ),
        )}
      </p>
      {long && (
        <button
          type="button"
          className="mt-1 text-sm font-medium text-accent"
          aria-expanded={unfolded}
          onClick={() => {
            unfolding();
            setUnfolded(!unfolded);
          }}
        >
          {unfolded ? text.messages.showLess : text.messages.showAll}
        </button>
      )}
    </>
  );
}

function Failed({ entry }: { readonly entry: Entry }) {
  const commands = useCommands();
  const { clientId, code, reason = "" } = entry;
  return (
    <p className="mt-1 flex flex-wrap items-center justify-end gap-3 text-sm text-bad">
      <span>{code === undefined ? text.messages.couldNotBeSent : text.problem(code, reason)}</span>
      <button
        type="button"
        className="font-medium underline"
        onClick={() => commands.retry(clientId)}
      >
        {text.messages.retry}
      </button>
      <button
        type="button"
        className="font-medium underline"
        onClick={() => commands.discard(clientId)}
      >
        {text.messages.discard}
      </button>
    </p>
  );
}
