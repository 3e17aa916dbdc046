import { memo, type RefCallback, useId, useState } from "react";
import { excerptOf } from "../format/excerpt";
import type { Entry } from "../sdk/engine/outbox";
import type { Line } from "../sdk/store/lines";
import type { MessageState } from "../sdk/store/selectors";
import { text } from "../text/text";
import { Body, type OnFold } from "./Body";
import { Mark } from "./Mark";
import { dayOf, exactTime, timeOfDay } from "./time";
import { useCommands } from "./use-app";

/** A message no older than this comes in, and is not just scrolled to. */
const ARRIVING_MS = 1_500;

interface Props {
  readonly line: Line;
  /** The name of who wrote it. */
  readonly sender: string;
  readonly state: MessageState;
  /** Whether the next message of the group has not come as far as this one. */
  readonly ahead: boolean;
  /** Whether what is new to the reader begins with it. */
  readonly fresh: boolean;
  /** Watches the end of a message, once it may count as seen. */
  readonly watchEnd: RefCallback<HTMLElement> | null;
  readonly onFold: OnFold;
}

/**
 * One message, and what begins with it: a new day, what is new to the reader.
 * Space is kept at the end of a group only: that does not depend on older
 * messages, so none of it moves when those come in.
 */
export const MessageRow = memo(function MessageRow(props: Props) {
  const { line, sender, state, fresh, watchEnd, onFold } = props;
  const { mine, message, entry, ends } = line;
  const [arriving] = useState(() => Date.now() - Date.parse(line.at) < ARRIVING_MS);
  const id = useId();
  return (
    <div className={`column ${ends ? "pb-2.5" : "pb-0.5"}`}>
      {line.day && <Day at={line.at} />}
      {fresh && <New />}
      <article
        tabIndex={-1}
        aria-labelledby={`${id}-sender ${id}-body ${id}-foot`}
        data-testid="message"
        data-seq={message?.seq}
        data-state={state}
        data-mine={mine}
        className={`group/message relative flex items-end gap-2 outline-none focus-visible:z-10 ${mine ? "flex-row-reverse" : ""}`}
      >
        <span id={`${id}-sender`} className="sr-only">
          {mine ? text.messages.mine : text.messages.from(sender)}
        </span>
        <div
          className={`${arriving ? "arriving " : ""}max-w-[80%] min-w-0 overflow-hidden rounded-2xl border px-3 py-2 group-focus-visible/message:outline-2 group-focus-visible/message:outline-offset-2 group-focus-visible/message:outline-accent sm:max-w-[70%] ${shapeOf(line)}`}
        >
          <div id={`${id}-body`}>
            <Body body={line.body} onFold={onFold} />
          </div>
          {ends && (
            <footer
              id={`${id}-foot`}
              className={`${FOOT} mt-0.5 justify-end ${mine ? "text-ink/75" : "text-soft"}`}
            >
              <Time at={line.at} />
              {mine && <Mark state={state} />}
            </footer>
          )}
          {message !== undefined && (
            <span ref={watchEnd} data-end={message.seq} className="block h-px" />
          )}
        </div>
        {!ends && <Aside id={`${id}-foot`} {...props} />}
      </article>
      {entry?.state === "failed" && <Failed entry={entry} />}
    </div>
  );
});

const FOOT = "flex items-center gap-1.5 text-xs";
/** What is there for readers anyway, and for eyes when the message is pointed at. */
const ON_DEMAND =
  "opacity-0 group-hover/message:opacity-100 group-focus-within/message:opacity-100 group-focus/message:opacity-100";

/** Corners: those between the messages of a group are small, on the writer's side. */
function shapeOf({ mine, begins }: Line): string {
  if (mine) return `rounded-br-md border-transparent bg-mine ${begins ? "" : "rounded-tr-md"}`;
  return `rounded-bl-md border-line bg-theirs ${begins ? "" : "rounded-tl-md"}`;
}

/** Beside a message that others of its group follow: it takes no room of theirs. */
function Aside({ id, line, state, ahead }: Props & { readonly id: string }) {
  return (
    <footer id={id} className={`${FOOT} mb-1 shrink-0 whitespace-nowrap text-soft`}>
      <span className={ON_DEMAND}>
        <Time at={line.at} />
      </span>
      {line.mine && (
        <span className={`inline-flex ${ahead ? "" : ON_DEMAND}`}>
          <Mark state={state} />
        </span>
      )}
    </footer>
  );
}

function Time({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={exactTime(at)}>
      {timeOfDay(at)}
    </time>
  );
}

/** A heading, so that a reader can go from day to day. */
function Day({ at }: { readonly at: string }) {
  return (
    <h2 className="flex justify-center py-3">
      <time className="rounded-full bg-raised px-3 py-1 text-xs text-soft" dateTime={at}>
        {dayOf(at)}
      </time>
    </h2>
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

/** Why it could not be sent, and what can be done about it. */
function Failed({ entry }: { readonly entry: Entry }) {
  const commands = useCommands();
  const { clientId, code, reason = "" } = entry;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields.
    <div
      role="group"
      aria-label={text.messages.failed(excerptOf(entry.body))}
      className="mt-1 flex flex-wrap items-center justify-end gap-x-3 text-sm text-bad"
      data-testid="failed"
    >
      <p>{code === undefined ? text.messages.couldNotBeSent : text.problem(code, reason)}</p>
      <button type="button" className={ACT} onClick={() => commands.retry(clientId)}>
        {text.messages.retry}
      </button>
      <button type="button" className={ACT} onClick={() => commands.discard(clientId)}>
        {text.messages.discard}
      </button>
    </div>
  );
}

const ACT = "min-h-6 rounded font-medium underline";
