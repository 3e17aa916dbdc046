import { useEffect, useRef } from "react";
import { isTouched } from "../platform/browser";
import { addressOf } from "../platform/route";
import type { User } from "../sdk/protocol/generated";
import { partnerOf } from "../sdk/store/selectors";
import { text } from "../text/text";
import { Avatar } from "./Avatar";
import { Composer } from "./Composer";
import { BackIcon } from "./Icons";
import { MessagesSkeleton } from "./Skeleton";
import { Standing, useStatus } from "./Standing";
import { useSelect } from "./use-app";
import { useMessageList } from "./use-message-list";

/** The conversation in front. */
export function Chat({ id, me }: { readonly id: string; readonly me: User }) {
  const chat = useSelect((state) => state.chats.get(id));
  const log = useSelect((state) => state.logs.get(id));
  const partner = chat && partnerOf(chat, me.id)?.user;
  const MessageList = useMessageList();
  if (chat === undefined || log === undefined || partner === undefined) {
    return (
      <div className="flex h-full flex-col">
        <MessagesSkeleton label={text.chat.loading} />
      </div>
    );
  }
  return (
    <section aria-label={text.chat.label(partner.name)} className="flex h-full min-h-0 flex-col">
      <Header key={`header ${id}`} partner={partner} />
      {MessageList === null ? (
        <MessagesSkeleton label={text.messages.loading} />
      ) : (
        <MessageList key={id} chat={chat} log={log} me={me} />
      )}
      <TypingIndicator id={id} partner={partner} />
      <Composer key={`composer ${id}`} conversation={id} partner={partner} me={me} />
    </section>
  );
}

function Header({ partner }: { readonly partner: User }) {
  const status = useStatus(partner.id);
  const heading = useRef<HTMLHeadingElement>(null);
  // Where the composer does not take it, the focus must not stay in a list that is hidden now.
  useEffect(() => {
    if (isTouched()) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <header className="flex items-center gap-3 border-b border-line bg-surface px-3 py-3 sm:px-4">
      <a
        href={addressOf(null)}
        className="rounded-lg p-1.5 text-soft hover:bg-raised hover:text-ink md:hidden"
        aria-label={text.chat.back}
        data-testid="back"
      >
        <BackIcon className="size-6" />
      </a>
      <Avatar user={partner} status={status} />
      <div className="min-w-0">
        <h1 ref={heading} tabIndex={-1} className="truncate font-semibold outline-none">
          <bdi>{partner.name}</bdi>
        </h1>
        <p className="text-xs text-soft" data-testid="partner-presence">
          <Standing user={partner} />
        </p>
      </div>
    </header>
  );
}

/** Keeps its height, so that nothing moves when somebody begins to write. */
function TypingIndicator({ id, partner }: { readonly id: string; readonly partner: User }) {
  const typing = useSelect((state) => state.typing.get(id)?.has(partner.id) ?? false);
  return (
    <p className="column h-6 truncate text-sm text-soft">
      {typing && (
        <span data-testid="typing-indicator">
          {text.chat.typing(<bdi key="name">{partner.name}</bdi>)}
        </span>
      )}
    </p>
  );
}
