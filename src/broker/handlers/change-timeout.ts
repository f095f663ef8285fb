/**
 * How long a change waits for the metadata log, of what the client gave it; 0 where its request has no such field. None at all is how clients
 * of old ask for "do not wait until every broker knows"; they want to hear all the same that it was taken.
 */
export function changeTimeoutMs(givenMs: number): number {
  return givenMs > 0 ? givenMs : waitMsDefault
}

const waitMsDefault = 5_000
