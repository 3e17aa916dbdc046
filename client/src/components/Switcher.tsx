import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { goTo } from "../platform/route";
import { ApiError } from "../sdk/engine/api";
import type { User } from "../sdk/protocol/generated";
import { unreadText } from "../sdk/store/selectors";
import { text } from "../text/text";
import { Avatar } from "./Avatar";
import { type Candidate, candidatesOf, ranked } from "./ranking";
import { useStatus } from "./Standing";
import { useCommands, useSelect } from "./use-app";
import { useTalk } from "./use-talk";

/** After the last key, before the server is asked. */
const SETTLE_MS = 150;
/** So many are offered; who is not among them is found with one more letter. */
const OFFERED = 30;

interface Props {
  readonly me: User;
  readonly onClose: () => void;
}

/** Goes to a conversation, or to somebody, by a few letters of the name. */
export function Switcher({ me, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [search, setSearch] = useState("");
  const [chosen, setChosen] = useState(0);
  const offered = useOffered(me, search);
  const talk = useTalk(me);
  const current = Math.min(chosen, offered.length - 1);
  useEffect(() => dialog.current?.showModal(), []);

  function change(next: string) {
    setSearch(next);
    setChosen(0);
  }

  function go({ user, conversation }: Candidate) {
    dialog.current?.close();
    if (conversation !== null) goTo(conversation);
    else void talk(user);
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
      // A click beside it, on what it darkens.
      onClick={(event) => event.target === event.currentTarget && dialog.current?.close()}
      onKeyDown={onKeyDown}
      aria-label={text.switcher.title}
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
            aria-label={text.switcher.label}
            placeholder={text.switcher.label}
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
          aria-label={text.switcher.list}
          className="min-h-0 overflow-y-auto p-2 empty:p-0"
        >
          {offered.map((candidate, index) => (
            <Option
              key={candidate.user.id}
              id={`switcher-${index}`}
              candidate={candidate}
              chosen={index === current}
              onPoint={() => setChosen(index)}
              onGo={() => go(candidate)}
            />
          ))}
        </div>
        <p role="status" className={offered.length === 0 ? "p-5 text-sm text-soft" : "sr-only"}>
          {offered.length === 0 ? text.switcher.nobody : text.switcher.found(offered.length)}
        </p>
      </div>
    </dialog>
  );
}

interface OptionProps {
  readonly id: string;
  readonly candidate: Candidate;
  readonly chosen: boolean;
  readonly onPoint: () => void;
  readonly onGo: () => void;
}

function Option({ id, candidate, chosen, onPoint, onGo }: OptionProps) {
  const { user, unread } = candidate;
  const status = useStatus(user.id);
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
      <bdi className="min-w-0 flex-1 truncate">{user.name}</bdi>
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

function useOffered(me: User, search: string): readonly Candidate[] {
  const chats = useSelect((state) => state.chats);
  const online = useSelect((state) => state.presence.online);
  const found = useFound(search.trim());
  return useMemo(() => {
    const candidates = candidatesOf(chats.values(), online, found, me.id);
    return ranked(candidates, search).slice(0, OFFERED);
  }, [chats, online, found, me.id, search]);
}

/** Whom the server knows by that beginning of a name, here or not. */
function useFound(search: string): readonly User[] {
  const commands = useCommands();
  const [found, setFound] = useState<readonly User[]>([]);
  useEffect(() => {
    if (search === "") return;
    let current = true;
    const ask = async () => {
      try {
        const { users } = await commands.findPeople(search);
        if (current) setFound(users);
      } catch (error) {
        // Those that are known here can be gone to anyway.
        if (!(error instanceof ApiError)) throw error;
      }
    };
    const timer = setTimeout(ask, SETTLE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [commands, search]);
  return found;
}

/** Where a key leads in a list of `count`, around its ends; `null`: nowhere. */
function moved(key: string, at: number, count: number): number | null {
  if (count === 0) return null;
  if (key === "ArrowDown") return (at + 1) % count;
  if (key === "ArrowUp") return (at - 1 + count) % count;
  return null;
}

/** The key that brought it up takes it away. */
function isSwitch({ key, ctrlKey, metaKey }: KeyboardEvent): boolean {
  return (ctrlKey || metaKey) && key.toLowerCase() === "k";
}
