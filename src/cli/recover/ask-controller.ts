import { fromUtf8, utf8 } from '../../lib/bytes.ts'
import type { Answer, Command } from '../../broker/cluster/controller/commands.ts'
import { AnsweredError, WireClientError } from '../../broker/wire/client/client-error.ts'
import type { WireClient } from '../../broker/wire/client/client.ts'
import { errorName } from '../../broker/wire/errors.ts'
import { metadata } from '../../broker/wire/messages/index.ts'
import { askController } from '../../broker/wire/private/index.ts'
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
 * Asks one after another until one is the controller: only that one answers. @throws NoController
 */
export async function askWhoDecides(
  candidates: readonly Candidate[],
  command: (client: WireClient) => Promise<Command>,
): Promise<Answer> {
  const failures: string[] = []
  for (const candidate of candidates) {
    const { name } = candidate
    try {
      const client = await candidate.connect()
      try {
        const answer = await ask(client, await command(client))
        if (answer.type !== 'refused' || answer.error !== 'NOT_CONTROLLER') return answer
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

async function ask(client: WireClient, command: Command): Promise<Answer> {
  const { errorCode, errorMessage, answer } = await client.request(askController, {
    brokerId: -1,
    timeoutMs,
    command: utf8(JSON.stringify(command)),
  })
  if (errorCode === 0) return JSON.parse(fromUtf8(answer)) as Answer
  const error = errorName(errorCode) as Extract<Answer, { type: 'refused' }>['error']
  return { type: 'refused', error, message: errorMessage ?? `The controller says ${error}.` }
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
  const { topics } = await client.request(metadata, {
    topics: null,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  })
  const ids = new Map(topics.map(({ name, topicId }) => [name, topicId]))
  return named.map(({ topic, index }) => {
    const topicId = ids.get(topic)
    if (topicId === undefined) throw new UnknownTopic(`There is no topic ${topic}.`)
    return { topicId, index }
  })
}

class UnknownTopic extends Error {
  override readonly name = 'UnknownTopic'
}
