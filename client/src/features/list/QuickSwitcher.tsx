import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { conversationTitle } from "../../i18n/conversation-title";
import { lazyText, text } from "../../i18n/i18n";
import { goTo } from "../../platform/route";
import type { User } from "../../sdk/protocol/generated";
import { unreadText } from "../../sdk/store/selectors";
import { Avatar } from "../../ui/Avatar";
import { signOf } from "../../ui/keys";
import { useStatus } from "../people/PresenceText";
import type { Candidate } from "../people/ranking";
import { statusAsFound, useCandidates } from "../people/use-candidates";
import { useOpenConversation } from "../people/use-open-conversation";

/** So many are offered; who is not among them is found with one more letter. */
const OFFERED = 30;

interface Props {
  readonly me: User;
  readonly onClose: () => void;
}

/** Opens a conversation by a few letters of the partner's name. */
export function QuickSwitcher({ me, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [search, setSearch] = useState("");
  const [chosen, setChosen] = useState(0);
  const { candidates: offered, searching } = useCandidates(me, search, OFFERED, everybody);
  const openConversation = useOpenConversation(me);
  const current = Math.min(chosen, offered.length - 1);
  useLayoutEffect(() => dialog.current?.showModal(), []);

  function change(next: string) {
    setSearch(next);
    setChosen(0);
  }

  function go({ user, conversation }: Candidate) {
    dialog.current?.close();
    if (conversation !== null) goTo(conversation);
    else void openConversation(user);
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing) return;
    const next = moved(event.key, current, offered.length);
    const candidate = offered[current];
    if (event.key === "Enter" && candidate !== undefined) go(candidate);
    else if (next !== null) setChosen(next);
    else if (isSwitch(event)) dialog.current?.close();
    else return;
    event.preventDefault();
  }

  return (
    <dialog
      ref={dialog}
      onClose={onClose}
      // A click on the backdrop.
      onClick={(event) => event.target === event.currentTarget && dialog.current?.close()}
      onKeyDown={onKeyDown}
      aria-label={lazyText.switcher.title}
      className="mx-auto mt-[10dvh] max-h-[70dvh] w-[min(30rem,calc(100vw-2rem))] rounded-2xl border border-line bg-surface p-0 text-ink shadow-xl backdrop:bg-black/40"
      data-testid="switcher"
    >
      <div className="flex max-h-[70dvh] flex-col">
        <div className="border-b border-line p-3">
          <input
            role="combobox"
            aria-expanded={offered.length > 0}
            aria-controls="switcher-list"
            aria-autocomplete="list"
            {...(current >= 0 && { "aria-activedescendant": `switcher-${current}` })}
            aria-label={lazyText.switcher.label}
            placeholder={lazyText.switcher.label}
            className="field"
            dir="auto"
            autoComplete="off"
            spellCheck={false}
            value={search}
            onChange={(event) => change(event.target.value)}
            data-testid="switcher-search"
          />
        </div>
        <div
          id="switcher-list"
          role="listbox"
          aria-label={lazyText.switcher.list}
          className="min-h-0 overflow-y-auto p-2 empty:p-0"
        >
          {offered.map((candidate, index) => (
            <Option
              key={candidate.user.id}
              id={`switcher-${index}`}
              me={me}
              candidate={candidate}
              chosen={index === current}
              onPoint={() => setChosen(index)}
              onGo={() => go(candidate)}
            />
          ))}
        </div>
        <p
          role="status"
          className={offered.length === 0 && !searching ? "p-5 text-sm text-soft" : "sr-only"}
        >
          {offered.length > 0
            ? lazyText.switcher.found(offered.length)
            : !searching && lazyText.switcher.nobody}
        </p>
      </div>
    </dialog>
  );
}

interface OptionProps {
  readonly id: string;
  readonly me: User;
  readonly candidate: Candidate;
  readonly chosen: boolean;
  readonly onPoint: () => void;
  readonly onGo: () => void;
}

function Option({ id, me, candidate, chosen, onPoint, onGo }: OptionProps) {
  const { user, unread } = candidate;
  const status = statusAsFound(useStatus(user.id), candidate);
  const option = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (chosen) option.current?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: its keys are those of the field, which keeps the focus.
    <div
      ref={option}
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={chosen}
      onPointerMove={onPoint}
      onClick={onGo}
      data-testid="switch-to"
      data-name={user.name}
      className={`flex cursor-pointer items-center gap-3 rounded-xl px-2 py-1.5 ${chosen ? "bg-chosen" : ""}`}
    >
      <Avatar user={user} status={status} />
      <bdi className="min-w-0 flex-1 truncate">{conversationTitle(user, me)}</bdi>
      {(status === "online" || status === "away") && (
        <span className="text-xs text-soft">{text.presence[status]}</span>
      )}
      {unread > 0 && (
        <span className="rounded-full bg-accent px-2 text-xs leading-5 font-semibold text-on-accent">
          {text.conversations.unread(unreadText(unread))}
        </span>
      )}
    </div>
  );
}

const everybody = () => true;

/** The index that a key leads to in a list of `count`, which wraps around; `null` if none. */
function moved(key: string, at: number, count: number): number | null {
  if (count === 0) return null;
  if (key === "ArrowDown") return (at + 1) % count;
  if (key === "ArrowUp") return (at - 1 + count) % count;
  return null;
}

/** The key that opened it closes it. */
function isSwitch(event: KeyboardEvent): boolean {
  return (event.ctrlKey || event.metaKey) && signOf(event) === "k";
}
