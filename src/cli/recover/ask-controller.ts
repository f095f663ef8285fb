import type { Command } from '../../broker/cluster/controller/commands.ts'
import { topicIds } from '../../broker/wire/client/all-topics.ts'
import { type CommandRefusal, refusalOfCommand } from '../../broker/wire/client/ask-controller.ts'
import { AnsweredError, WireClientError } from '../../broker/wire/client/client-error.ts'
import type { WireClient } from '../../broker/wire/client/client.ts'
import type { Uuid } from '../../lib/uuid.ts'

/** Where a broker may be, connected to when it is asked for. */
export interface Candidate {
  readonly name: string
  connect(): Promise<WireClient>
}

/** Milliseconds that the controller may take. */
const timeoutMs = 10_000

/** Nobody of those that were asked is the controller, or could be asked. */
class NoController extends Error {
  override readonly name = 'NoController'
}

/**
 * Asks one after another until one is the controller: only that one decides. Resolves to why it refuses, null where it is done. @throws NoController
 */
export async function askWhoDecides(
  candidates: readonly Candidate[],
  command: (client: WireClient) => Promise<Command>,
): Promise<CommandRefusal | null> {
  const failures: string[] = []
  for (const candidate of candidates) {
    const { name } = candidate
    try {
      const client = await candidate.connect()
      try {
        const refusal = await refusalOfCommand(client, await command(client), timeoutMs)
        if (refusal?.error !== 'NOT_CONTROLLER') return refusal
        failures.push(`${name} is not the controller`)
      } finally {
        client.close()
      }
    } catch (error) {
      if (!(error instanceof WireClientError) && !(error instanceof AnsweredError)) throw error
      failures.push(`${name}: ${error.message}`)
    }
  }
  throw new NoController(
    `Nobody who was asked is the controller (${failures.join('; ')}). Give the private listeners of all brokers by --at.`,
  )
}

/** A partition as people write it. */
export interface NamedPartition {
  readonly topic: string
  readonly index: number
}

/** The ids that topics have now. @throws UnknownTopic */
export async function withIds(
  client: WireClient,
  named: readonly NamedPartition[],
): Promise<{ topicId: Uuid; index: number }[]> {
  if (named.length === 0) return []
  const ids = await topicIds(client)
  return named.map(({ topic, index }) => {
    const topicId = ids.get(topic)
    if (topicId === undefined) throw new UnknownTopic(`There is no topic ${topic}.`)
    return { topicId, index }
  })
}

class UnknownTopic extends Error {
  override readonly name = 'UnknownTopic'
}
