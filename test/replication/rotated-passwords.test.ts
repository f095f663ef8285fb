import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { errorName } from '../../src/broker/wire/errors.ts'
import { BrokerCluster, withCluster } from '../helpers/broker-cluster.ts'
import { eventually } from '../helpers/eventually.ts'
import { metricsOf, sumOf } from '../helpers/metrics.ts'

const topic = 'copied'

/** As kubelet changes them: whole, from one moment to the next. */
function put(folder: string, name: string, password: string | null): void {
  const path = join(folder, name)
  if (password === null) return rmSync(path)
  writeFileSync(`${path}.new`, password)
  renameSync(`${path}.new`, path)
}

test('the password of brokers changes while they run: whoever logs in meanwhile is let in, and nobody is refused once', async () => {
  await withCluster(await BrokerCluster.start(3), async cluster => {
    const { credentialsDir: folder } = cluster
    const clients = await Promise.all([0, 1, 2].map(id => cluster.connect(id)))
    await eventually(
      'three brokers',
      () => clients[0]!.metadata(),
      ({ brokers }) => brokers.length === 3,
    )
    await clients[0]!.createTopics([{ name: topic, partitions: 1, replicas: 3 }])
    const state = async () => (await clients[0]!.metadata([topic])).topics[0]?.partitions[0]
    const insync = () => eventually('all in sync', state, found => found?.isrNodes.length === 3)
    const produce = async (): Promise<string> => {
      const leader = (await state())?.leaderId ?? -1
      if (leader < 0) return 'no leader'
      const batch = encodeBatch({ records: [{ key: 'k', value: 'v' }] })
      const client = await cluster.connect(leader)
      return errorName((await client.produce({ topic, partition: 0 }, batch)).errorCode)
    }
    const copied = () => eventually('an acknowledgement', produce, error => error === 'NONE')
    await insync()
    await copied()
    const former = readFileSync(join(folder, 'broker'), 'utf8')
    const states: (() => void)[] = [
      () => put(folder, 'broker.other', 'the next one'),
      () => {
        put(folder, 'broker', 'the next one')
        put(folder, 'broker.other', former)
      },
      () => put(folder, 'broker.other', null),
    ]
    for (const next of states) {
      next()
      // It logs in everywhere, and everybody logs in there; the others keep what they have.
      await cluster.broker(2).stop()
      await cluster.broker(2).start()
      await insync()
      await copied()
    }
    for (const id of [0, 1, 2]) {
      const samples = await metricsOf(cluster.broker(id))
      const refused = sumOf(samples, 'logcluster_login_failures_total')
      expect([id, refused]).toEqual([id, 0])
    }
  })
}, 180_000)
