import { fromUtf8, utf8 } from '../../lib/bytes.ts'
import type { WireClient } from '../../broker/wire/client/client.ts'
import { errorName, errors, type ErrorName } from '../../broker/wire/errors.ts'
import { metadata } from '../../broker/wire/messages/index.ts'
import { askController } from '../../broker/wire/private/index.ts'
import type { Outcome, RetirementWish } from './brokers.ts'

/**
 * Asks the broker behind `client`, which has to be logged in as one, to retire a directory (`Command` of
 * broker/cluster/controller/commands.ts). Asked again it is done already.
 */
export async function askToRetire(
  client: WireClient,
  { directoryId, acceptDataLoss }: RetirementWish,
  timeoutMs: number,
): Promise<Outcome> {
  const command = {
    type: 'retireDirectory',
    directoryId,
    acceptDataLoss: await partitionsOf(client, acceptDataLoss),
    isGone: true,
  }
  const { errorCode, errorMessage, answer } = await client.request(askController, {
    brokerId: -1,
    timeoutMs,
    command: utf8(JSON.stringify(command)),
  })
  const error = errorName(errorCode)
  if (error !== 'NONE') return { error, message: errorMessage ?? errors[error].message }
  const told = JSON.parse(fromUtf8(answer)) as {
    readonly type: string
    readonly error: ErrorName
    readonly message: string
  }
  return told.type === 'refused' ? { error: told.error, message: told.message } : null
}

/** By the ids that topics have now: one that was deleted since has nothing to lose. */
async function partitionsOf(
  client: WireClient,
  names: readonly string[],
): Promise<{ topicId: string; index: number }[]> {
  if (names.length === 0) return []
  const { topics } = await client.request(metadata, {
    topics: null,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  })
  const ids = new Map(topics.map(({ name, topicId }) => [name, topicId]))
  return names.flatMap(name => {
    const at = name.lastIndexOf('-')
    const topicId = ids.get(name.slice(0, at))
    return topicId === undefined ? [] : [{ topicId, index: Number(name.slice(at + 1)) }]
  })
}
