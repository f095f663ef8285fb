import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestBroker } from '../helpers/broker.ts'
import { metricsOf, sumOf } from '../helpers/metrics.ts'
import { OrderByKey, PartitionDigest, topicDigest, type ReadResult } from './digest.ts'
import { SeenRecords } from './seen-file.ts'

export interface GroupReading {
  readonly broker: TestBroker
  readonly topic: string
  readonly partitionCount: number
  readonly recordCount: number
  /** Where the members may write. */
  readonly folder: string
}

const group = 'main-job'

/**
 * Two members of one group read the topic with kafkajs; one of them is killed half-way and its partitions go over.
 * Prints lag and hit ratio meanwhile. Redelivered records are left out of what it returns.
 */
export async function readWithGroup(reading: GroupReading): Promise<ReadResult> {
  const startedAt = performance.now()
  const members = ['first', 'second'].map(name => new Member(reading, name))
  try {
    await untilLag(reading, members, reading.recordCount / 2)
    members[1]!.kill()
    console.log('  killed one of the two members with SIGKILL')
    await untilLag(reading, members.slice(0, 1), 0)
  } finally {
    await Promise.all(members.map(member => member.stop()))
  }
  const seconds = (performance.now() - startedAt) / 1000
  return { ...digestOf(reading, members), seconds }
}

class Member {
  readonly path: string
  readonly #process: ChildProcess
  readonly #ended: Promise<void>

  constructor({ broker, topic, folder }: GroupReading, name: string) {
    this.path = join(folder, `${name}.seen`)
    const script = join(import.meta.dirname, 'member.ts')
    const args = [script, broker.address, topic, group, name, this.path]
    // kafkajs sets timers in the past, which Node warns about.
    this.#process = spawn(process.execPath, ['--no-warnings', ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    this.#ended = new Promise(resolve => this.#process.once('exit', () => resolve()))
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM')
    const late = setTimeout(() => this.kill(), 20_000)
    await this.#ended
    clearTimeout(late)
  }
}

/** Watches the group's committed positions until no more than `lagMax` records are missing. */
async function untilLag(
  { broker, topic, partitionCount, recordCount }: GroupReading,
  members: readonly Member[],
  lagMax: number,
): Promise<void> {
  for (let round = 0; round < 600; round++) {
    if (!members.every(member => member.isRunning)) throw new Error('a member of the group ended')
    const metrics = await metricsOf(broker)
    const labels = { group, topic, position: 'committed' }
    const committed = metrics.filter(
      ({ name, labels: has }) =>
        name === 'logcluster_consumer_lag_records' &&
        has['group'] === group &&
        has['position'] === 'committed',
    )
    const lag =
      committed.length < partitionCount
        ? recordCount
        : sumOf(metrics, 'logcluster_consumer_lag_records', labels)
    if (round % 4 === 0 || lag <= lagMax) {
      const seconds = Math.max(
        0,
        ...metrics
          .filter(
            ({ name, labels: has }) =>
              name === 'logcluster_consumer_lag_seconds' && has['group'] === group,
          )
          .map(({ value }) => value),
      )
      const hit = sumOf(metrics, 'logcluster_page_cache_hit_bytes_total', { topic, group })
      const sent = sumOf(metrics, 'logcluster_page_cache_sent_bytes_total', { topic, group })
      console.log(
        `  group ${group}: lag ${lag} records, ${seconds.toFixed(1)} s; hit ratio ${sent > 0 ? (hit / sent).toFixed(3) : '-'}`,
      )
    }
    if (lag <= lagMax) return
    await sleep(500)
  }
  throw new Error('the group does not get to the end')
}

function digestOf(
  { partitionCount }: GroupReading,
  members: readonly Member[],
): Omit<ReadResult, 'seconds'> {
  const seen = new SeenRecords()
  for (const { path } of members) if (existsSync(path) && statSync(path).size > 0) seen.add(path)
  const order = new OrderByKey()
  const parts: PartitionDigest[] = []
  for (let partition = 0; partition < partitionCount; partition++) {
    const part = new PartitionDigest(partition, 0)
    for (const record of seen.of(partition)) {
      part.add(record)
      if (record.key !== null && record.value !== null) {
        order.add(Buffer.from(record.key).toString(), record.value)
      }
    }
    parts.push(part)
  }
  console.log(`  ${seen.redeliveredCount} records came twice, because of the kill`)
  return {
    digest: topicDigest(parts.map(part => part.end())),
    recordCount: parts.reduce((sum, part) => sum + part.recordCount, 0),
    gapCount: parts.reduce((sum, part) => sum + part.gapCount, 0),
    order,
  }
}
