import { expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
import { DiskError } from '../../env/env.ts'
import type { LogDirectory } from '../log/directory/log-directory.ts'
import type { Log } from '../log/log.ts'
import { MetadataImage } from '../metadata/image.ts'
import { Partitions } from './partitions.ts'

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'
const place = { replicas: [1], isr: [1], elr: [], leader: 1, leaderEpoch: 0, partitionEpoch: 0 }
const created = MetadataImage.empty.apply({
  type: 'topicCreated',
  topicId,
  name: 'topic',
  isInternal: false,
  configs: [],
  partitions: [{ index: 0, ...place }],
})

/** A directory that opens logs when the test lets it, and what was told of it. */
function world() {
  const clock = new SimClock()
  const state = { error: null as DiskError | null, attempts: 0 }
  const told: string[] = []
  const log = { endOffset: 5, startOffset: 0, offline: null, noteEpoch() {}, configure() {} }
  const directory = {
    openLog: async () => {
      state.attempts++
      if (state.error !== null) throw state.error
      return log as unknown as Log
    },
    remove: async () => {},
  } as unknown as LogDirectory
  const partitions = new Partitions({
    brokerId: 1,
    directory,
    clock,
    openingMax: 1,
    logConfig: () => ({ flushPolicy: 'os' }) as never,
    minInsyncReplicas: () => 1,
    onFailure: () => void told.push('failed'),
    onRecovery: () => void told.push('recovered'),
  })
  return { clock, state, told, partitions }
}

test.each(['EMFILE', 'ENFILE', 'ENOSPC'])(
  'a log that could not be opened for %s is opened later',
  async code => {
    const { clock, state, told, partitions } = world()
    state.error = new DiskError('open', '/data/topic-0', code)
    partitions.apply(created)
    await partitions.settled()
    const partition = partitions.find('topic', 0)!
    expect([partition.availability(), told]).toEqual(['KAFKA_STORAGE_ERROR', ['failed']])
    await clock.run(499)
    expect(state.attempts).toBe(1)
    // After 0.5, 1, 2, 4 seconds and so on, at last every 30.
    await clock.run(15_001)
    expect(state.attempts).toBe(6)
    await clock.run(60_000)
    expect(state.attempts).toBe(8)
    state.error = null
    await clock.run(30_000)
    expect([partition.availability(), told]).toEqual(['NONE', ['failed', 'recovered']])
    expect(partition.highWatermark).toBe(5)
    await clock.run(100_000)
    expect(state.attempts).toBe(9)
  },
)

test("what is the disk's fault, or the log's, is not tried again", async () => {
  const { clock, state, partitions } = world()
  state.error = new DiskError('read', '/data/topic-0', 'EIO')
  partitions.apply(created)
  await partitions.settled()
  await clock.run(100_000)
  expect([state.attempts, clock.timerCount]).toEqual([1, 0])
})

test('nobody opens the log of a topic that is gone, or of a broker that stops', async () => {
  for (const end of [
    (partitions: Partitions) => partitions.stop(),
    (partitions: Partitions) => partitions.apply(created.apply({ type: 'topicDeleted', topicId })),
  ]) {
    const { clock, state, partitions } = world()
    state.error = new DiskError('open', '/data/topic-0', 'EMFILE')
    partitions.apply(created)
    await partitions.settled()
    end(partitions)
    await clock.run(100_000)
    expect([state.attempts, clock.timerCount]).toEqual([1, 0])
  }
})
