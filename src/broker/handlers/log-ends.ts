import { sleep } from '../../env/clock.ts'
import type { Clock } from '../../env/env.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { LogEnd, PartitionId } from '../cluster/controller/commands.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { isActive } from '../metadata/replicas.ts'
import { logReach } from '../partition/log-reach.ts'
import type { Partitions } from '../partition/partitions.ts'
import { describeLogEnds } from '../wire/private/index.ts'

export interface LogEndsOptions {
  readonly clock: Clock
  readonly cluster: Pick<Cluster, 'image' | 'brokerId' | 'connectTo'>
  readonly partitions: Pick<Partitions, 'findById'>
}

/** Whoever has not said within it where his logs end is silent: the election waits for another command. */
const answerTimeoutMs = 2_000

/** What one broker is asked, and as whom it was registered then. */
interface Question {
  readonly brokerId: number
  readonly brokerEpoch: number
  readonly partitions: PartitionId[]
}

/** Asks all live replicas of `partitions` how far their logs reach (durability.md R9). Never rejects: of whoever does not say, nothing is told. */
export async function logEnds(
  options: LogEndsOptions,
  partitions: readonly PartitionId[],
): Promise<readonly LogEnd[]> {
  const { clock, cluster } = options
  const ends: LogEnd[] = []
  const asked = questions(cluster.image, partitions).map(async question =>
    question.brokerId === cluster.brokerId
      ? own(options, question, ends)
      : ask(options, question, ends).catch(() => {
          // Silent, which the controller sees.
        }),
  )
  await Promise.race([Promise.all(asked), sleep(clock, answerTimeoutMs)])
  return [...ends]
}

function questions(image: MetadataImage, partitions: readonly PartitionId[]): readonly Question[] {
  const byBroker = new Map<number, Question>()
  for (const id of partitions) {
    for (const brokerId of image.topicById(id.topicId)?.partitions[id.index]?.replicas ?? []) {
      const broker = image.brokers.get(brokerId)
      if (!isActive(broker)) continue
      const { epoch: brokerEpoch } = broker
      const known = byBroker.get(brokerId) ?? { brokerId, brokerEpoch, partitions: [] }
      known.partitions.push(id)
      byBroker.set(brokerId, known)
    }
  }
  return [...byBroker.values()]
}

function own({ partitions }: LogEndsOptions, question: Question, ends: LogEnd[]): void {
  const { brokerId, brokerEpoch } = question
  for (const id of question.partitions) {
    const { topicId, index } = id
    const found = partitions.findById({ topicId, partition: index })
    const end = found === undefined ? null : logReach(found)
    if (end !== null) ends.push({ topicId, index, brokerId, brokerEpoch, ...end })
  }
}

async function ask({ cluster }: LogEndsOptions, question: Question, ends: LogEnd[]): Promise<void> {
  const { brokerId, brokerEpoch } = question
  const topics = Array.from(
    Map.groupBy(question.partitions, ({ topicId }) => topicId),
    ([topicId, ofTopic]) => ({ topicId, partitions: ofTopic.map(({ index }) => index) }),
  )
  const client = await cluster.connectTo(brokerId)
  try {
    const answer = await client.request(describeLogEnds, { topics }, { timeoutMs: answerTimeoutMs })
    for (const { topicId, partitions } of answer.topics) {
      for (const { partitionIndex: index, errorCode, leaderEpoch, ...end } of partitions) {
        if (errorCode !== 0) continue
        const { lastEpoch } = end
        const endOffset = Number(end.endOffset)
        ends.push({ topicId, index, brokerId, brokerEpoch, leaderEpoch, lastEpoch, endOffset })
      }
    }
  } finally {
    client.close()
  }
}
