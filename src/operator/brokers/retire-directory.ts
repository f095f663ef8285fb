import { topicIds } from '../../broker/wire/client/all-topics.ts'
import { refusalOfCommand } from '../../broker/wire/client/ask-controller.ts'
import type { WireClient } from '../../broker/wire/client/client.ts'
import type { Outcome, RetirementWish } from './brokers.ts'

/** Asks the broker behind `client`, which has to be logged in as one, to retire a directory. Asked again it is done already. */
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
  return refusalOfCommand(client, command, timeoutMs)
}

/** By the ids that topics have now: one that was deleted since has nothing to lose. */
async function partitionsOf(
  client: WireClient,
  names: readonly string[],
): Promise<{ topicId: string; index: number }[]> {
  if (names.length === 0) return []
  const ids = await topicIds(client)
  return names.flatMap(name => {
    const at = name.lastIndexOf('-')
    const topicId = ids.get(name.slice(0, at))
    return topicId === undefined ? [] : [{ topicId, index: Number(name.slice(at + 1)) }]
  })
}
