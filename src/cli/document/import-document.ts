import type { Clock } from '../../env/clock.ts'
import type { Random } from '../../env/env.ts'
import { refuseErrors } from '../../broker/wire/client/client-error.ts'
import { retrying } from '../../broker/wire/client/retrying.ts'
import { errorName } from '../../broker/wire/errors.ts'
import { createTopics, findCoordinator, offsetCommit } from '../../broker/wire/messages/index.ts'
import type { ClusterDocument, GroupExport, TopicExport } from './document.ts'
import { planImport, type ImportPlan } from './import-plan.ts'
import { readContent } from './read-cluster.ts'
import type { Access } from './read-groups.ts'

/** It would overwrite, or cannot be: a sentence a line, and nothing was done. */
class ImportRefused extends Error {
  override readonly name = 'ImportRefused'
}

export interface ImportEnv {
  readonly clock: Clock
  readonly random: Random
}

/** Milliseconds for each step with all its attempts: a coordinator may have to load first. */
const timeoutMs = 30_000
const offsetVersion = 8
const groupKey = 0

/**
 * Makes the topics of the document that are not there, and commits its offsets. Asked again after it was interrupted, it does the rest.
 * @throws ImportRefused, WireClientError, AnsweredError
 */
export async function importDocument(
  env: ImportEnv,
  access: Access,
  document: Pick<ClusterDocument, 'topics' | 'groups'>,
): Promise<ImportPlan> {
  const again = <Value>(attempt: () => Promise<Value>): Promise<Value> =>
    retrying({ ...env, timeoutMs }, attempt)
  const plan = planImport(document, await again(() => readContent(access)))
  if (plan.refusals.length > 0) throw new ImportRefused(plan.refusals.join('\n'))
  // All of them could be made, or none is.
  await make(access, plan.create, 'only look')
  await make(access, plan.create, 'do it')
  for (const group of plan.commit) await again(() => commit(access, group))
  return plan
}

async function make(
  access: Access,
  topics: readonly TopicExport[],
  how: 'only look' | 'do it',
): Promise<void> {
  if (topics.length === 0) return
  const client = await access.any()
  const answer = await client.request(createTopics, {
    topics: topics.map(({ name, partitions, replicationFactor, configs }) => ({
      name,
      numPartitions: partitions,
      replicationFactor,
      assignments: [],
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    })),
    timeoutMs,
    validateOnly: how === 'only look',
  })
  const refused = answer.topics.flatMap(({ name, errorCode, errorMessage }) => {
    const error = errorName(errorCode)
    return error === 'NONE' ? [] : [`Topic ${name}: ${errorMessage ?? error}`]
  })
  if (refused.length > 0) throw new ImportRefused(refused.join('\n'))
}

/** As a consumer that assigns itself: a group with members refuses it. Epochs are another cluster's, so none is told. */
async function commit(access: Access, { group, offsets }: GroupExport): Promise<void> {
  const client = await access.any()
  const found = await client.request(findCoordinator, {
    key: '',
    keyType: groupKey,
    coordinatorKeys: [group],
  })
  const [coordinator] = found.coordinators
  refuseErrors(coordinator?.errorCode ?? -1, `the coordinator of group ${group}`)
  const at = await access.at({ host: coordinator!.host, port: coordinator!.port })
  const topics = Map.groupBy(offsets, ({ topic }) => topic)
  const answer = await at.request(
    offsetCommit,
    {
      groupId: group,
      memberId: '',
      topics: Array.from(topics, ([name, all]) => ({
        name,
        partitions: all.map(({ partition, offset, metadata }) => ({
          partitionIndex: partition,
          committedOffset: offset,
          committedMetadata: metadata,
        })),
      })),
    },
    { version: offsetVersion },
  )
  for (const { name, partitions } of answer.topics) {
    for (const { partitionIndex, errorCode } of partitions) {
      refuseErrors(errorCode, `${name}-${partitionIndex} of group ${group}`)
    }
  }
}
