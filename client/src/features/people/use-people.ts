import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { ApiError } from "../../sdk/connection/api";
import { type People, type User, WATCH_MAX } from "../../sdk/protocol/generated";
import { type Commands, useCommands, useSelect } from "../../ui/use-app";

/** How often the list is loaded again if the server does not send everyone's presence. */
const REFRESH_MS = 5_000;

interface OnlinePeople {
  /** By name; `null`: not known yet. */
  readonly users: readonly User[] | null;
  /** Everyone online; `null`: not known yet. */
  readonly count: number | null;
  /** Loads the next page, if there is one. */
  readonly more: () => void;
}

/** Who is online, live. */
export function useOnlinePeople(): OnlinePeople {
  const presence = useSelect((state) => state.presence);
  const everyone = useMemo(() => byName(presence.online), [presence.online]);
  const paged = usePagedPeople(!presence.complete);
  const { count } = presence;
  if (!presence.complete) return { ...paged, count };
  return { users: count === null ? null : everyone, count, more: () => {} };
}

function byName(online: ReadonlyMap<string, User>): User[] {
  return [...online.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** What is loaded so far. */
interface Loaded {
  readonly users: readonly User[];
  /** The cursor of the next page; `null` if there is none. */
  readonly next: string | null;
}

const NOTHING: Loaded = { users: [], next: null };

/** In crowds the list is loaded page by page, and the users shown are watched. */
function usePagedPeople(active: boolean): Omit<OnlinePeople, "count"> {
  const commands = useCommands();
  const [loaded, setLoaded] = useState(NOTHING);
  const shown = useRef(0);
  shown.current = loaded.users.length;

  useEffect(() => {
    if (!active) return;
    let current = true;
    const refresh = async () => {
      // A long list only grows: loading all of it again would be expensive.
      if (shown.current > WATCH_MAX) return;
      const fresh = await read(commands, NOTHING, shown.current);
      if (current && fresh !== null) setLoaded(fresh);
    };
    void refresh();
    const again = setInterval(refresh, REFRESH_MS);
    return () => {
      current = false;
      clearInterval(again);
    };
  }, [commands, active]);

  useWatched(active ? loaded.users : NOTHING.users);

  const more = useCallback(() => {
    if (loaded.next === null) return;
    void read(commands, loaded, loaded.users.length + 1).then((longer) => {
      if (longer !== null) setLoaded((held) => (held === loaded ? longer : held));
    });
  }, [commands, loaded]);

  return { users: loaded === NOTHING ? null : loaded.users, more };
}

/** Watches the presence of these users while they are shown; of too many, the last ones. */
export function useWatched(users: readonly User[]): void {
  const commands = useCommands();
  useEffect(() => {
    commands.watch(users.slice(-WATCH_MAX).map((user) => user.id));
    return () => commands.watch([]);
  }, [commands, users]);
}

/** Loads pages until there are `wanted` users, or no more; returns `null` if that fails. */
async function read(commands: Commands, from: Loaded, wanted: number): Promise<Loaded | null> {
  let { users, next } = from;
  do {
    const page = await quietly(commands.searchPeople("", next));
    if (page === null) return null;
    users = [...users, ...page.users];
    next = page.next;
  } while (next !== null && users.length < wanted);
  return { users, next };
}

/** Returns `null` if a page cannot be loaded: the list stays as it is until the next refresh. */
async function quietly(asked: Promise<People>): Promise<People | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}
