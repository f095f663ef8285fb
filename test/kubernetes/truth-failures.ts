import type { ErrorName } from '../../src/broker/wire/errors.ts'
import {
  AnsweredError,
  type ClientErrorReason,
  WireClientError,
} from '../../src/broker/wire/client/client-error.ts'

/** How many attempts failed, by kind. */
export type Failures = Readonly<Record<string, number>>

/** What a client meets whose leader stops in order, and of which it finds the next one by trying again. */
const ofErrors: readonly ErrorName[] = [
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  // The first attempt of all, which makes the topic; and whoever asks a broker that has just come up.
  'UNKNOWN_TOPIC_OR_PARTITION',
]
const ofConnections: readonly ClientErrorReason[] = ['closed', 'unreachable', 'timeout']
/** As node:dns calls them: a pod that is not there has no address. */
const ofNames = ['ENOTFOUND', 'ENODATA'] as const
const inRoll: ReadonlySet<string> = new Set([...ofErrors, ...ofConnections, ...ofNames])

/** In one word: Kafka's name for what was answered, why no answer came, or the code of what else was thrown; else the whole of it. */
export function failureKind(error: unknown): string {
  if (error instanceof AnsweredError) return error.error
  if (error instanceof WireClientError) return error.reason
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : String(error)
}

/**
 * Whether clients may meet it while brokers are away one by one, each in its turn. Not all that Kafka calls retriable: where a roll
 * guards what is in sync, nobody is told NOT_ENOUGH_REPLICAS.
 */
export function isExpectedInRoll(kind: string): boolean {
  return inRoll.has(kind)
}
