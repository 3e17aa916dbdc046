import { useEffect, useState } from "react";
import { ApiError } from "../../sdk/connection/api";
import type { Person } from "../../sdk/protocol/generated";
import { useCommands } from "../../ui/use-app";

/** How long after the last key the server is asked. */
const SETTLE_MS = 150;

/** The server's answer to a search. */
interface Found {
  readonly search: string;
  readonly users: readonly Person[];
}

const NOBODY: Found = { search: "", users: [] };

interface FoundPeople {
  readonly users: readonly Person[];
  /** Whether the server has not answered this search yet. */
  readonly searching: boolean;
}

/** The users that the server finds, online or not; nobody for an empty search. */
export function useFoundPeople(search: string): FoundPeople {
  const commands = useCommands();
  const [found, setFound] = useState(NOBODY);
  useEffect(() => {
    if (search === "") return;
    let current = true;
    const ask = async () => {
      try {
        const { users } = await commands.findPeople(search);
        if (current) setFound({ search, users });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        // Users known to this page are found anyway.
        if (current) setFound({ search, users: [] });
      }
    };
    const timer = setTimeout(ask, SETTLE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [commands, search]);
  // The last answer stays until the next one, so that nothing flickers while one types.
  return search === "" ? NONE : { users: found.users, searching: found.search !== search };
}

const NONE: FoundPeople = { users: [], searching: false };
