import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { OutboxStorage } from "../sdk/engine/model";
import type { Entry } from "../sdk/engine/outbox";
import type { ClientId, UserId } from "../sdk/protocol/generated";

/** An entry as it is kept: whose it is, and which page sends it. */
interface Row extends Entry {
  readonly user: UserId;
  readonly page: string;
  /** Its place among those of the same page, and of the pages before it. */
  readonly order: number;
}

interface Schema extends DBSchema {
  outbox: { key: ClientId; value: Row; indexes: { user: UserId } };
}

/** Tells which of the pages of this browser are still open. */
export type LivePages = () => Promise<ReadonlySet<string>>;

const DATABASE = "tidings";
const VERSION = 1;

/**
 * The outbox in IndexedDB, shared by all pages of this browser. Every entry
 * belongs to one page; those of pages that are gone may be taken over, once.
 */
export class IndexedDbOutbox implements OutboxStorage {
  private readonly database: Promise<IDBPDatabase<Schema>>;
  /** The highest place given or found. */
  private lastOrder = 0;

  constructor(
    private readonly page: string,
    private readonly livePages: LivePages,
  ) {
    this.database = this.open();
    // Each use below rejects with the same reason, where it is dealt with.
    this.database.catch(() => {});
  }

  async put(user: UserId, entries: readonly Entry[]): Promise<void> {
    const transaction = await this.write();
    const { page } = this;
    for (const entry of entries) {
      void transaction.store.put({ ...rest(entry), user, page, order: this.nextOrder() });
    }
    // At once, so that a page that is left now has written all the same.
    transaction.commit();
    await transaction.done;
  }

  async delete(clientIds: readonly ClientId[]): Promise<void> {
    const transaction = await this.write();
    for (const id of clientIds) void transaction.store.delete(id);
    await transaction.done;
  }

  async adopt(user: UserId): Promise<Entry[]> {
    const live = await this.livePages();
    // One transaction reads and takes: no two pages take the same entry.
    const transaction = await this.write();
    const rows = await transaction.store.index("user").getAll(user);
    const orphans = rows.filter((row) => row.page !== this.page && !live.has(row.page));
    for (const row of orphans) void transaction.store.put({ ...row, page: this.page });
    await transaction.done;
    return orphans
      .sort(byWriting)
      .map(({ user: _user, page: _page, order: _order, ...entry }) => entry);
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
    // Before anything is written, so that writing needs no look at what is there.
    for (const { order } of await database.getAll("outbox")) this.found(order);
    return database;
  }

  private found(order: number): void {
    this.lastOrder = Math.max(this.lastOrder, order);
  }

  /**
   * The time, for what several pages write; behind all that is known in any
   * case: a clock may be set back, and the order of writing stays.
   */
  private nextOrder(): number {
    this.found(Math.max(Date.now(), this.lastOrder + 1));
    return this.lastOrder;
  }

  private async write() {
    // Written through: what the user typed must survive more than a crash of the page.
    return (await this.database).transaction("outbox", "readwrite", { durability: "strict" });
  }
}

/** An entry in flight is one that waits, for whoever finds it. */
function rest(entry: Entry): Entry {
  return entry.state === "sent" ? { ...entry, state: "waiting" } : entry;
}

/** By time of writing; those that two pages wrote in one moment by name. */
function byWriting(a: Row, b: Row): number {
  return a.order - b.order || (a.clientId < b.clientId ? -1 : 1);
}
