import { expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { incrementalAlterConfigs } from '../../src/broker/wire/messages/index.ts'
import { BrokerCluster, withCluster } from '../helpers/broker-cluster.ts'
import { eventually } from '../helpers/eventually.ts'

const topic = 'rolled'
const partitionCount = 12
const ids = [0, 1, 2]
const resourceType = 4 // BROKER

interface Led {
  readonly leader: number
  /** One more at each election. */
  readonly epoch: number
  readonly isWhole: boolean
}

/** Each partition as a broker tells it that knows of all that happened. */
async function ledBy(cluster: BrokerCluster, id: number): Promise<readonly Led[]> {
  const { topics } = await (await cluster.connect(id)).metadata([topic])
  return (topics[0]?.partitions ?? [])
    .toSorted((a, b) => a.partitionIndex - b.partitionIndex)
    .map(({ leaderId, leaderEpoch, isrNodes }) => {
      return { leader: leaderId, epoch: leaderEpoch, isWhole: isrNodes.length === ids.length }
    })
}

/** The topic, with a replica of each partition on each broker. */
async function made(cluster: BrokerCluster, count: number): Promise<readonly Led[]> {
  const client = await cluster.connect(0)
  await eventually(
    'three brokers',
    () => client.metadata(),
    ({ brokers }) => brokers.length === ids.length,
  )
  await client.createTopics([{ name: topic, partitions: count, replicas: 3 }])
  return allInSync(cluster, { by: 0, count })
}

function allInSync(
  cluster: BrokerCluster,
  { by, count }: { readonly by: number; readonly count: number },
): Promise<readonly Led[]> {
  const isWhole = (all: readonly Led[]): boolean =>
    all.length === count && all.every(each => each.isWhole)
  return eventually('all in sync', () => ledBy(cluster, by), isWhole)
}

async function drain(cluster: BrokerCluster, id: number, isWanted: boolean): Promise<void> {
  const config = isWanted
    ? { configOperation: 0, value: 'true' }
    : { configOperation: 1, value: null }
  const configs = [{ name: 'leadership.drain.enable', ...config }]
  const resources = [{ resourceType, resourceName: String(id), configs }]
  const client = await cluster.connect(id)
  const { responses } = await client.request(incrementalAlterConfigs, 1, {
    resources,
    validateOnly: false,
  })
  expect(responses[0]).toMatchObject({ errorCode: 0 })
}

/** As the operator restarts all (src/operator/plan/leadership.ts); how often each partition was elected by each hand-over and what came of it. */
async function roll(cluster: BrokerCluster): Promise<number[][]> {
  const counts: number[][] = []
  const witness = (id: number): number => (id + 1) % ids.length
  let before = (await ledBy(cluster, 0)).map(({ epoch }) => epoch)
  const count = async (by: number): Promise<void> => {
    const now = (await ledBy(cluster, by)).map(({ epoch }) => epoch)
    counts.push(now.map((epoch, at) => epoch - before[at]!))
    before = now
  }
  for (const id of ids) {
    if (id > 0) await drain(cluster, id - 1, false)
    await drain(cluster, id, true)
    const isHandedOver = (all: readonly Led[]): boolean => all.every(({ leader }) => leader !== id)
    await eventually('nothing is led there', () => ledBy(cluster, witness(id)), isHandedOver)
    await cluster.broker(id).stop()
    await cluster.broker(id).start()
    await allInSync(cluster, { by: id, count: partitionCount })
    await count(id)
  }
  await drain(cluster, ids.length - 1, false)
  const isBalanced = (all: readonly Led[]): boolean =>
    ids.every(id => all.filter(({ leader }) => leader === id).length === partitionCount / 3)
  await eventually('who is preferred leads', () => ledBy(cluster, 0), isBalanced)
  await count(0)
  return counts
}

test('a roll elects nothing but by its hand-overs, and each partition at most once by each of them', async () => {
  await withCluster(await BrokerCluster.start(3), async cluster => {
    await made(cluster, partitionCount)
    const counts = await roll(cluster)
    console.log(`elections of each hand-over: ${counts.map(total).join(', ')}`)
    expect(Math.max(...counts.flat())).toBe(1)
    // Away, and back: fewer would leave leaders where they do not belong.
    const ofEach = counts[0]!.map((_, at) => total(counts.map(each => each[at]!)))
    expect(ofEach).toEqual(ofEach.map(() => 2))
  })
}, 180_000)

test('how much a broker that was away has still to copy is told by who leads it', async () => {
  await withCluster(await BrokerCluster.start(3), async cluster => {
    const [only] = await made(cluster, 1)
    const { leader } = only!
    const other = (leader + 1) % ids.length
    await cluster.broker(other).stop()
    const value = new Uint8Array(100_000)
    const batch = encodeBatch({ records: [{ key: null, value }] })
    const producer = await cluster.connect(leader)
    for (let at = 0; at < 10; at++) await producer.produce({ topic, partition: 0 }, batch)
    const told = async (): Promise<readonly CatchingUp[]> => {
      const response = await fetch(`http://${cluster.broker(leader).http}/v1/status`)
      return ((await response.json()) as { catchingUp: readonly CatchingUp[] }).catchingUp
    }
    const [away, ...others] = await told()
    expect(away?.brokerId).toBe(other)
    expect(away?.bytes).toBeGreaterThan(1_000_000)
    expect(others).toEqual([])
    await cluster.broker(other).start()
    await eventually('nothing is left', told, ({ length }) => length === 0)
  })
}, 180_000)

interface CatchingUp {
  readonly brokerId: number
  readonly bytes: number
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0)
}
