/** What a reader may see: all that is readable, or all but what belongs to transactions that are open or were aborted. */
export const readUncommitted = 0
const readCommitted = 1

/** Kafka takes a request with any other for a fault of its own: UNKNOWN_SERVER_ERROR for everything in it. */
export const isolationLevels: ReadonlySet<number> = new Set([readUncommitted, readCommitted])
