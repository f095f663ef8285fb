import { expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { errorCode } from '../../src/broker/wire/errors.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import type { SimDisk } from '../../sim/disk.ts'
import { InProcessBroker } from '../helpers/in-process.ts'

const batch = encodeBatch({ records: [{ key: null, value: utf8('value') }] })

function foldersOf(disk: SimDisk, topic: string): string[] {
  return disk
    .list('/data')
    .filter(name => name.startsWith(`${topic}-`))
    .map(name => `/data/${name}`)
}

function removeFolder(disk: SimDisk, folder: string): void {
  for (const name of disk.list(folder)) disk.unlink(`${folder}/${name}`)
  disk.rmdir(folder)
}

/** The disk of a broker that stopped, with records of two topics. */
async function stoppedBroker(changes: Parameters<typeof InProcessBroker.start>[0] = {}) {
  await using broker = await InProcessBroker.start(changes)
  const client = await broker.connect()
  await client.createTopics([{ name: 'lost' }, { name: 'kept' }])
  for (const topic of ['lost', 'lost', 'kept']) await client.produce({ topic, partition: 0 }, batch)
  return broker.disk
}

test('a log whose directory was removed by hand does not begin anew, until its topic is deleted', async () => {
  const disk = await stoppedBroker()
  removeFolder(disk, foldersOf(disk, 'lost')[0]!)
  await using broker = await InProcessBroker.start({}, disk)
  const client = await broker.connect()
  const [lost, kept] = ['lost', 'kept'].map(topic => ({ topic, partition: 0 }))
  const failed = { errorCode: errorCode('KAFKA_STORAGE_ERROR') }
  expect(await client.produce(lost!, batch)).toMatchObject({
    ...failed,
    errorMessage: expect.stringMatching(/is missing, .*Restore it .* or delete the topic/),
  })
  expect(await client.fetch(lost!, 0)).toMatchObject(failed)
  expect(await client.produce(kept!, batch)).toMatchObject({ errorCode: 0, baseOffset: 1 })
  expect(foldersOf(disk, 'lost')).toEqual([])
  expect(await broker.metrics.text()).toMatch(/^logcluster_offline_partitions 1$/m)

  await client.deleteTopics(['lost'])
  await client.createTopics([{ name: 'lost' }])
  expect(await client.produce(lost!, batch)).toMatchObject({ errorCode: 0, baseOffset: 0 })
  expect(await broker.metrics.text()).toMatch(/^logcluster_offline_partitions 0$/m)
})

test('an emptied disk under metadata that lies elsewhere leads nothing that was there, and what is new', async () => {
  const settings = { metadataLogDir: '/metadata' }
  const disk = await stoppedBroker(settings)
  for (const name of disk.list('/data')) {
    const path = `/data/${name}`
    if (disk.stat(path)!.isDirectory) removeFolder(disk, path)
    else disk.unlink(path)
  }
  await using broker = await InProcessBroker.start(settings, disk)
  const client = await broker.connect()
  await client.createTopics([{ name: 'new' }])
  const answers = []
  for (const topic of ['lost', 'kept', 'new']) {
    answers.push((await client.produce({ topic, partition: 0 }, batch)).errorCode)
  }
  const failed = errorCode('KAFKA_STORAGE_ERROR')
  expect(answers).toEqual([failed, failed, 0])
})

test('logs that metadata from another time does not know are set aside, counted and kept', async () => {
  const disk = await stoppedBroker({ metadataLogDir: '/metadata' })
  const cluster = disk.clone()
  await using first = await InProcessBroker.start({ metadataLogDir: '/metadata' }, disk)
  const client = await first.connect()
  await client.createTopics([{ name: 'late' }])
  await client.produce({ topic: 'late', partition: 0 }, batch)
  await first.broker.stop()
  // The metadata of before, beside the data of now.
  for (const folder of ['/metadata/log', '/metadata/snapshot']) {
    for (const name of disk.list(folder)) {
      if (cluster.stat(`${folder}/${name}`) === null) disk.unlink(`${folder}/${name}`)
    }
  }
  await using second = await InProcessBroker.start({ metadataLogDir: '/metadata' }, disk)
  expect(await second.metrics.text()).toMatch(/^logcluster_stray_logs 1$/m)
  const [stray] = foldersOf(disk, 'late')
  expect(stray).toMatch(/\.stray$/)
  const segment = disk.list(stray!).find(name => name.endsWith('.log'))!
  expect(disk.stat(`${stray}/${segment}`)!.size).toBe(batch.length)
})
