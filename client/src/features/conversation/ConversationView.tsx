import { lazy, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { conversationTitle } from "../../i18n/conversation-title";
import { text, withLazyTexts } from "../../i18n/i18n";
import { isTouched } from "../../platform/browser";
import { addressOf, onLinkedMessage } from "../../platform/route";
import { isMessageEntry } from "../../sdk/outbox/outbox";
import type { User } from "../../sdk/protocol/generated";
import { partnerOf, pinnedWith } from "../../sdk/store/selectors";
import type { ConversationSummary } from "../../sdk/store/state";
import type { Log } from "../../sdk/timeline/log";
import { NO_PINS } from "../../sdk/timeline/pins";
import { Avatar } from "../../ui/Avatar";
import { BackIcon } from "../../ui/Icons";
import { LazyBoundary } from "../../ui/LazyBoundary";
import { MessagesSkeleton } from "../../ui/Skeleton";
import { useSelect } from "../../ui/use-app";
import { useOnce } from "../../ui/use-once";
import { PresenceText, useStatus } from "../people/PresenceText";
import { Composer } from "./Composer";
import { useMessageList } from "./use-message-list";

/** Most conversations have messages, and no pins. */
const Greeting = lazy(async () => ({
  default: (await withLazyTexts(import("./Greeting"))).Greeting,
}));
const PinsButton = lazy(async () => ({
  default: (await import("./pins/PinsButton")).PinsButton,
}));

/** The open conversation. */
export function ConversationView({ id, me }: { readonly id: string; readonly me: User }) {
  const conversation = useSelect((state) => state.conversations.get(id));
  const log = useSelect((state) => state.logs.get(id));
  const partner = conversation && partnerOf(conversation, me.id)?.user;
  const MessageList = useMessageList();
  /** The number of a message that the reader wants to see. */
  const [target, setTarget] = useState<number | null>(null);
  useEffect(() => onLinkedMessage(id, setTarget), [id]);
  const entries = useSelect((state) => state.outbox.entries);
  const unsent = entries.some((one) => one.conversation === id && isMessageEntry(one));
  const pins = log?.pins ?? NO_PINS;
  const pinned = useMemo(() => pinnedWith(pins, entries, id), [pins, entries, id]);
  if (conversation === undefined || log === undefined || partner === undefined) {
    return (
      <div className="flex h-full flex-col">
        <MessagesSkeleton label={text.conversation.loading} />
      </div>
    );
  }
  return (
    <section
      aria-label={partner.id === me.id ? text.notes.title : text.conversation.label(partner.name)}
      className="flex h-full min-h-0 flex-col"
    >
      <Header
        key={`header ${id}`}
        conversation={conversation}
        log={log}
        pinned={pinned}
        partner={partner}
        me={me}
        onGo={setTarget}
      />
      <div className="relative flex min-h-0 flex-1 flex-col">
        {MessageList === null ? (
          <MessagesSkeleton label={text.messages.loading} />
        ) : (
          <MessageList
            key={id}
            conversation={conversation}
            log={log}
            me={me}
            pinned={pinned}
            target={target}
            onTarget={setTarget}
          />
        )}
        {conversation.last === null && !unsent && (
          <LazyBoundary>
            <Greeting partner={partner} me={me} />
          </LazyBoundary>
        )}
      </div>
      <TypingIndicator id={id} partner={partner} />
      <Composer key={`composer ${id}`} conversation={id} partner={partner} me={me} />
    </section>
  );
}

interface HeaderProps {
  readonly conversation: ConversationSummary;
  readonly log: Log;
  /** The numbers of the pinned messages, the one pinned first in front. */
  readonly pinned: readonly number[];
  readonly partner: User;
  readonly me: User;
  /** Called with the number of a message to go to. */
  readonly onGo: (seq: number) => void;
}

function Header({ conversation, log, pinned, partner, me, onGo }: HeaderProps) {
  const status = useStatus(partner.id);
  // Their list may be open when the last one goes.
  const hadPins = useOnce(pinned.length > 0);
  const heading = useRef<HTMLHeadingElement>(null);
  // If the composer does not take the focus, it must not stay in the list, which is hidden now.
  useLayoutEffect(() => {
    if (isTouched()) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <header className="relative flex items-center gap-3 border-b border-line bg-surface px-3 py-3 sm:px-4 short:py-1">
      <a
        href={addressOf(null)}
        className="rounded-lg p-1.5 text-soft hover:bg-raised hover:text-ink md:hidden"
        aria-label={text.conversation.back}
        data-testid="back"
      >
        <BackIcon className="size-6" />
      </a>
      <Avatar user={partner} status={status} />
      <div className="min-w-0">
        <h1 ref={heading} tabIndex={-1} className="truncate font-semibold outline-none">
          <bdi>{conversationTitle(partner, me)}</bdi>
        </h1>
        {/* Keeps its height, so that nothing moves when nothing is known. */}
        <p className="h-4 text-xs text-soft" data-testid="partner-presence">
          {partner.id === me.id ? text.notes.about : <PresenceText user={partner} />}
        </p>
      </div>
      <LazyBoundary>
        {hadPins && (
          <PinsButton
            conversation={conversation}
            messages={log.messages}
            pinned={pinned}
            onGo={onGo}
            onGone={() => heading.current?.focus({ preventScroll: true })}
          />
        )}
      </LazyBoundary>
    </header>
  );
}

/** Keeps its height, so that nothing moves when somebody begins to type. */
function TypingIndicator({ id, partner }: { readonly id: string; readonly partner: User }) {
  const typing = useSelect((state) => state.typing.get(id)?.has(partner.id) ?? false);
  return (
    <p className="column h-6 truncate text-sm text-soft short:pointer-events-none short:relative short:z-10 short:-mt-6">
      {typing && (
        <span className="short:bg-page" data-testid="typing-indicator">
          {text.conversation.typing(<bdi key="name">{partner.name}</bdi>)}
        </span>
      )}
    </p>
  );
}
