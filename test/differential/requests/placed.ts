import { createTopics, metadata } from '../../../src/broker/wire/messages/index.ts'
import { pick, type Session } from '../session.ts'

/** Makes a topic with its replicas as given, the preferred leader first, and waits until all of it is in sync. */
export async function placed(
  session: Session,
  name: string,
  ...lists: number[][]
): Promise<string> {
  const own = session.own(name)
  const assignments = lists.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }))
  const topic = { name: own, numPartitions: -1, replicationFactor: -1, assignments, configs: [] }
  await session.request(createTopics, 7, { topics: [topic], timeoutMs: 30_000 })
  for (const at of brokers) {
    await session.until(`${own} is known`, async () => {
      const topics = [{ name: own }]
      const answer = await session.connection(at).ask(metadata, 12, { topics })
      return lists.every((list, index) => {
        const partition = pick(answer, 'topics', 0, 'partitions', index)
        const isr = pick(partition, 'isrNodes')
        return Array.isArray(isr) && isr.length === list.length
      })
    })
  }
  return own
}

/** How a session names the connections to them. */
export const brokers = ['', 'broker 1', 'broker 2'] as const
