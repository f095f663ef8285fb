import { setTimeout as sleep } from 'node:timers/promises'
import { concat, readInt16 } from '../../src/lib/bytes.ts'
import { readCorrelationId } from '../../src/broker/wire/frame.ts'
import { apiVersions, fetch, joinGroup, syncGroup } from '../../src/broker/wire/messages/index.ts'
import { type RawClient, RawClientError } from '../helpers/raw-client.ts'

/** What a frame led to. `parked`: its answer waits for something, and the request behind it with it. */
export type Outcome = 'answered' | 'closed' | 'parked'

const sentinelId = 0x7ead_beef

export interface OutcomeOptions {
  /** Is given the answer to the frame. */
  readonly heard?: (answer: Uint8Array) => void
  readonly send?: (bytes: Uint8Array) => Promise<void>
  /**
   * Resolves when the broker has served somebody else since: before that nothing is taken as waiting. Where it is left
   * out a slow machine's answer may be taken so.
   */
  readonly othersAreServed?: () => Promise<void>
}

/** What came of a frame: a request after it is answered too, or the connection is closed. Some may wait. */
export async function outcomeOf(
  client: RawClient,
  frame: Uint8Array,
  options: OutcomeOptions = {},
): Promise<Outcome> {
  const { heard = () => {}, send = async bytes => client.send(bytes) } = options
  const { othersAreServed = async () => {} } = options
  const [first, second] = [client.nextFrame(), client.nextFrame()]
  first.catch(() => {})
  second.catch(() => {})
  await send(concat([frame, sentinel(client)]))
  const answer = await orClosed<Uint8Array | 'late'>(
    mayWait(frame) ? soon(first, othersAreServed) : first,
  )
  if (answer === null) return 'closed'
  if (answer === 'late') return 'parked'
  // Nothing for the frame itself: a produce with acks=0.
  if (readCorrelationId(answer) === sentinelId) {
    client.close()
    return 'answered'
  }
  heard(answer)
  const after = await orClosed(second)
  if (after === null) return 'closed'
  if (readCorrelationId(after) !== sentinelId) {
    throw new Error(`${readCorrelationId(after)} was answered in place of the request after`)
  }
  return 'answered'
}

async function orClosed<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof RawClientError && error.reason === 'closed') return null
    throw error
  }
}

function sentinel(client: RawClient): Uint8Array {
  const names = { clientSoftwareName: '', clientSoftwareVersion: '' }
  return client.frame(apiVersions, 0, names, sentinelId)
}

/** A fetch waits for records, a member of a group for the others. */
function mayWait(frame: Uint8Array): boolean {
  return [fetch.key, joinGroup.key, syncGroup.key].includes(readInt16(frame, 4))
}

function soon<T>(answer: Promise<T>, othersAreServed: () => Promise<void>): Promise<T | 'late'> {
  const late = async (): Promise<'late'> => {
    await othersAreServed()
    await sleep(50)
    return 'late'
  }
  return Promise.race([answer, late()])
}
