import type { OutboxStorage } from "./engine/model";

/** An outbox that ends with the process: the engine holds what is written, nothing else does. */
export const MEMORY_OUTBOX: OutboxStorage = {
  put: async () => {},
  delete: async () => {},
  adopt: async () => [],
  clear: async () => {},
};
