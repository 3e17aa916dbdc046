import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { ApiError } from "../sdk/engine/api";
import { WATCH_MAX } from "../sdk/engine/model";
import type { People, User } from "../sdk/protocol/generated";
import { type Commands, useCommands, useSelect } from "./use-app";

/** After the last key, before the server is asked. */
const SETTLE_MS = 250;
/** How often a list that is not told of everyone is read again. */
const REFRESH_MS = 5_000;

interface OnlinePeople {
  /** By name; `null`: not known yet. */
  readonly users: readonly User[] | null;
  /** Everyone online, whatever the search; `null`: not known yet. */
  readonly count: number | null;
  /** Loads the next page, if there is one. */
  readonly more: () => void;
}

/** Who is online and matches a search, live. */
export function useOnlinePeople(search: string): OnlinePeople {
  const presence = useSelect((state) => state.presence);
  const everyone = useMemo(() => matching(presence.online, search), [presence.online, search]);
  const paged = usePagedPeople(search, !presence.complete);
  const { count } = presence;
  if (!presence.complete) return { ...paged, count };
  return { users: count === null ? null : everyone, count, more: () => {} };
}

function matching(online: ReadonlyMap<string, User>, search: string): User[] {
  const wanted = folded(search);
  return [...online.values()]
    .filter((user) => folded(user.name).includes(wanted))
    .sort((a, b) => a.name.localeCompare(b.name));
}

function folded(text: string): string {
  return text.normalize("NFKC").trim().toLowerCase();
}

/** What was loaded for a search. */
interface Loaded {
  readonly search: string;
  readonly users: readonly User[];
  /** Where the next page begins; `null`: that is all. */
  readonly next: string | null;
}

const NOTHING: Loaded = { search: "", users: [], next: null };

/** In crowds the list comes page by page, and those shown are watched. */
function usePagedPeople(search: string, active: boolean): Omit<OnlinePeople, "count"> {
  const commands = useCommands();
  const [loaded, setLoaded] = useState(NOTHING);
  const shown = useRef(0);
  shown.current = loaded.search === search ? loaded.users.length : 0;

  useEffect(() => {
    if (!active) return;
    let current = true;
    const refresh = async () => {
      // Further down the list only grows: reading all of it again would be no small thing.
      if (shown.current > WATCH_MAX) return;
      const fresh = await read(commands, { ...NOTHING, search }, shown.current);
      if (current && fresh !== null) setLoaded(fresh);
    };
    const first = setTimeout(refresh, SETTLE_MS);
    const again = setInterval(refresh, REFRESH_MS);
    return () => {
      current = false;
      clearTimeout(first);
      clearInterval(again);
    };
  }, [commands, search, active]);

  useEffect(() => {
    const users = active ? loaded.users.slice(-WATCH_MAX) : [];
    commands.watch(users.map((user) => user.id));
  }, [commands, loaded, active]);

  const more = useCallback(() => {
    if (loaded.next === null || loaded.search !== search) return;
    void read(commands, loaded, loaded.users.length + 1).then((longer) => {
      if (longer !== null) setLoaded((held) => (held === loaded ? longer : held));
    });
  }, [commands, loaded, search]);

  return { users: loaded === NOTHING ? null : loaded.users, more };
}

/** Reads on until there are `wanted` people, or no more; `null` when that cannot be now. */
async function read(commands: Commands, from: Loaded, wanted: number): Promise<Loaded | null> {
  let { users, next } = from;
  do {
    const page = await quietly(commands.searchPeople(from.search.trim(), next));
    if (page === null) return null;
    users = [...users, ...page.users];
    next = page.next;
  } while (next !== null && users.length < wanted);
  return { search: from.search, users, next };
}

/** A list that cannot be read now stays as it is; the next refresh brings it. */
async function quietly(asked: Promise<People>): Promise<People | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}
