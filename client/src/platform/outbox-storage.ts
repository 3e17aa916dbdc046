import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { OutboxStorage } from "../sdk/engine/ports";
import type { Entry } from "../sdk/outbox/outbox";
import type { ClientId, UserId } from "../sdk/protocol/generated";

/** What is stored with an entry: its user, and the tab that sends it. */
interface Ownership {
  readonly user: UserId;
  /** The id of the tab; the field has this name in what is stored already. */
  readonly page: string;
  /** Its position among the entries of all tabs. */
  readonly order: number;
}

/**
 * An entry as it is stored. Earlier versions of the client knew only messages, and stored the
 * text of one in place of a content. These rows are read as they are: another version of the
 * database would have to wait until no tab of an earlier client is open.
 */
type Row = Ownership & (Entry | (Omit<Entry, "content"> & { readonly body: string }));

interface Schema extends DBSchema {
  outbox: { key: ClientId; value: Row; indexes: { user: UserId } };
}

/** Tells which tabs of this browser are still open. */
export type LiveTabs = () => Promise<ReadonlySet<string>>;

const DATABASE = "tidings";
const VERSION = 1;

/**
 * The outbox in IndexedDB, shared by all tabs of this browser. Every entry
 * belongs to one tab. The entries of closed tabs are taken over, each once.
 */
export class IndexedDbOutbox implements OutboxStorage {
  private readonly database: Promise<IDBPDatabase<Schema>>;
  /** The highest position assigned or found. */
  private lastOrder = 0;

  constructor(
    private readonly tab: string,
    private readonly liveTabs: LiveTabs,
  ) {
    this.database = this.open();
    // Each use below rejects with the same reason, and handles it.
    this.database.catch(() => {});
  }

  async put(user: UserId, entries: readonly Entry[]): Promise<void> {
    const transaction = await this.write();
    for (const entry of entries) {
      void transaction.store.put({ ...rest(entry), user, page: this.tab, order: this.nextOrder() });
    }
    // Commits at once, so that the entries are stored even if the tab is closed now.
    transaction.commit();
    await transaction.done;
  }

  async delete(clientIds: readonly ClientId[]): Promise<void> {
    const transaction = await this.write();
    for (const id of clientIds) void transaction.store.delete(id);
    await transaction.done;
  }

  async adopt(user: UserId): Promise<Entry[]> {
    const live = await this.liveTabs();
    // One transaction reads and takes: no two tabs take the same entry.
    const transaction = await this.write();
    const rows = await transaction.store.index("user").getAll(user);
    const orphans = rows.filter((row) => row.page !== this.tab && !live.has(row.page));
    for (const row of orphans) void transaction.store.put({ ...row, page: this.tab });
    await transaction.done;
    return orphans.sort(byWriting).map(entryOf);
  }

  async clear(user: UserId): Promise<void> {
    const transaction = await this.write();
    for (const id of await transaction.store.index("user").getAllKeys(user)) {
      void transaction.store.delete(id);
    }
    await transaction.done;
  }

  private async open(): Promise<IDBPDatabase<Schema>> {
    const database = await openDB<Schema>(DATABASE, VERSION, {
      upgrade(database) {
        const outbox = database.createObjectStore("outbox", { keyPath: "clientId" });
        outbox.createIndex("user", "user");
      },
    });
    // Reads the highest position before anything is written.
    for (const { order } of await database.getAll("outbox")) this.found(order);
    return database;
  }

  private found(order: number): void {
    this.lastOrder = Math.max(this.lastOrder, order);
  }

  /**
   * The time, which orders the entries of several tabs, but always more than the
   * last order known: a clock may be set back, and the order of writing stays.
   */
  private nextOrder(): number {
    this.found(Math.max(Date.now(), this.lastOrder + 1));
    return this.lastOrder;
  }

  private async write() {
    // Flushed to disk: what the user wrote must survive more than a crash of the page.
    return (await this.database).transaction("outbox", "readwrite", { durability: "strict" });
  }
}

/** Whoever finds an entry that was in flight sends it again: it is stored as waiting. */
function rest(entry: Entry): Entry {
  return entry.state === "sent" ? { ...entry, state: "waiting" } : entry;
}

function entryOf({ user: _user, page: _page, order: _order, ...entry }: Row): Entry {
  if ("content" in entry) return entry;
  const { body, ...rest } = entry;
  return { ...rest, content: { kind: "message", body } };
}

/** By time of writing; entries that two tabs wrote in one moment by id. */
function byWriting(a: Row, b: Row): number {
  return a.order - b.order || (a.clientId < b.clientId ? -1 : 1);
}
