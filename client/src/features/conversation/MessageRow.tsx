import { lazy, memo, type RefCallback, useId, useState } from "react";
import { text, withLazyTexts } from "../../i18n/i18n";
import { dayOf, exactTime, timeOfDay } from "../../i18n/time";
import type { DeliveryState } from "../../sdk/store/selectors";
import type { Row } from "../../sdk/timeline/rows";
import { DeliveryStatus } from "../../ui/DeliveryStatus";
import { LazyBoundary } from "../../ui/LazyBoundary";
import { useToday } from "../../ui/use-today";
import type { OpenMenu } from "./actions/actions";
import { MessageActions } from "./actions/MessageActions";
import { MessageBody, type OnFold } from "./MessageBody";
import { PinnedMark } from "./pins/PinnedMark";

/** Hardly any message is refused. */
const FailedNotice = lazy(async () => ({
  default: (await withLazyTexts(import("./FailedNotice"))).FailedNotice,
}));

/** A message no older than this has just arrived, and is not only scrolled to. */
const ARRIVING_MS = 1_500;

interface Props {
  readonly row: Row;
  /** The name of the sender. */
  readonly sender: string;
  readonly state: DeliveryState;
  /** Whether this message has got further than the next of its group. */
  readonly ahead: boolean;
  /** Whether it is the first message that is new to the reader. */
  readonly fresh: boolean;
  readonly pinned: boolean;
  /** A ref for the end of the message. */
  readonly watchEnd: RefCallback<HTMLElement>;
  readonly onFold: OnFold;
  /** Called to open the menu of a message. */
  readonly onMenu: OpenMenu;
}

/**
 * One message, with the headings above it: of a new day, of new messages.
 * Only the end of a group has a margin: that does not depend on older
 * messages, so nothing moves when those arrive.
 */
export const MessageRow = memo(function MessageRow(props: Props) {
  const { row, sender, state, fresh, pinned, watchEnd, onFold, onMenu } = props;
  const { mine, message, entry, ends } = row;
  const [arriving] = useState(() => Date.now() - Date.parse(row.at) < ARRIVING_MS);
  const id = useId();
  return (
    <div className={`column ${ends ? "pb-2.5" : "pb-0.5"}`}>
      {row.day && <Day at={row.at} />}
      {fresh && <New />}
      <article
        tabIndex={-1}
        aria-labelledby={`${id}-sender ${id}-body ${id}-foot`}
        data-testid="message"
        data-seq={message?.seq}
        data-state={state}
        data-mine={mine}
        className={`message group/message relative flex items-end gap-2 outline-none focus-visible:z-10 ${mine ? "flex-row-reverse" : ""}`}
      >
        <span id={`${id}-sender`} className="sr-only">
          {mine ? text.messages.mine : text.messages.from(sender)}
        </span>
        <div
          className={`${arriving ? "arriving " : ""}max-w-[80%] min-w-0 overflow-hidden rounded-2xl border px-3 py-2 group-focus-visible/message:outline-2 group-focus-visible/message:outline-offset-2 group-focus-visible/message:outline-accent sm:max-w-[70%] ${shapeOf(row)}`}
        >
          <div id={`${id}-body`}>
            <MessageBody body={row.body} onFold={onFold} />
          </div>
          {ends && (
            <footer
              id={`${id}-foot`}
              className={`${FOOT} mt-0.5 justify-end ${mine ? "text-ink/75" : "text-soft"}`}
            >
              {pinned && <PinnedMark />}
              <Time at={row.at} />
              {mine && <DeliveryStatus state={state} />}
            </footer>
          )}
          {message !== undefined && (
            <span ref={watchEnd} data-end={message.seq} className="block h-px" />
          )}
        </div>
        {message !== undefined && (
          <MessageActions message={message} mine={mine} pinned={pinned} onMenu={onMenu} />
        )}
        {!ends && <Aside id={`${id}-foot`} {...props} />}
      </article>
      {entry?.state === "failed" && (
        <LazyBoundary>
          <FailedNotice entry={entry} />
        </LazyBoundary>
      )}
    </div>
  );
});

const FOOT = "flex items-center gap-1.5 text-xs";
/** Always there for screen readers, and visible while the message is hovered or focused. */
const ON_DEMAND =
  "opacity-0 group-hover/message:opacity-100 group-focus-within/message:opacity-100 group-focus/message:opacity-100";

/** The corners between messages of a group are small on the sender's side. */
function shapeOf({ mine, begins }: Row): string {
  if (mine) return `rounded-br-md border-transparent bg-mine ${begins ? "" : "rounded-tr-md"}`;
  return `rounded-bl-md border-line bg-theirs ${begins ? "" : "rounded-tl-md"}`;
}

/** Stands beside a message that is not the last of its group, so that it takes no height. */
function Aside({ id, row, state, ahead, pinned }: Props & { readonly id: string }) {
  return (
    <footer id={id} className={`${FOOT} mb-1 shrink-0 whitespace-nowrap text-soft`}>
      {pinned && <PinnedMark />}
      <span className={ON_DEMAND}>
        <Time at={row.at} />
      </span>
      {row.mine && (
        <span className={`inline-flex ${ahead ? "" : ON_DEMAND}`}>
          <DeliveryStatus state={state} />
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

/** A heading, so that screen readers can move from day to day. */
function Day({ at }: { readonly at: string }) {
  useToday();
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
