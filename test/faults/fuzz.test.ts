import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { hex } from '../../src/lib/bytes.ts'
import { Prng } from '../../src/lib/prng.ts'
import { apiByKey } from '../../src/broker/wire/messages/index.ts'
import { withBroker, type TestBroker } from '../helpers/broker.ts'
import { measuredAgain } from '../helpers/eventually.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { RawClient } from '../helpers/raw-client.ts'
import { Bystander } from './bystander.ts'
import { DamagedFrames } from './damaged-frames.ts'
import { outcomeOf, type Outcome } from './outcome.ts'

const seed = Number(process.env['LOGCLUSTER_TEST_SEED'] ?? 7)
const frames = Number(process.env['LOGCLUSTER_TEST_FRAMES'] ?? 5000)

describe('a broker among frames that were damaged', () => {
  test(`answers or closes, ${frames} times (seed ${seed})`, { timeout: 300_000 }, async () => {
    // A peak has what the collector had not come to yet. The frames are the same each time, and what they cost too.
    await measuredAgain('MiB at most', peakOfFuzz, peak => peak < 700, 3)
  })
})

/** The most memory that a broker had among all the frames, in MiB. */
async function peakOfFuzz(): Promise<number> {
  let peak = 0
  await withBroker({}, async broker => {
    const bystander = await Bystander.join(broker)
    const counts = await fuzz(broker, bystander)
    bystander.leave()
    peak = peakMiB(broker.pid)
    console.log(`Fuzz: ${JSON.stringify(counts)}, ${peak} MiB at most`)
    expect(counts.answered).toBeGreaterThan(frames / 10)
    expect(counts.closed).toBeGreaterThan(frames / 100)
    await broker.stop()
  })
  return peak
}

async function fuzz(broker: TestBroker, bystander: Bystander): Promise<Record<Outcome, number>> {
  const random = new Prng(seed)
  const fuzzed = new DamagedFrames(random, [
    'one',
    'two',
    'three',
    'a/b',
    '',
    'retention.ms',
    '1000',
  ])
  const served = await servedVersions(broker)
  const counts = { answered: 0, closed: 0, parked: 0 }
  let client = await RawClient.connect(broker.port)
  for (let count = 0; count < frames; count++) {
    const [key, version] = served[count % served.length]!
    const frame = fuzzed.frame(apiByKey(key)!, version)
    try {
      if (!client.isOpen) client = await RawClient.connect(broker.port)
      const outcome = await outcomeOf(client, frame)
      if (outcome === 'parked') client.close()
      counts[outcome]++
      if (count % 50 === 0) await bystander.isServed()
    } catch (error) {
      console.error(`Frame ${count} of seed ${seed}, ${key} v${version}: ${hex(frame)}`)
      throw error
    }
  }
  client.close()
  await bystander.isServed()
  return counts
}

/** Every API that is served, in every version. */
async function servedVersions(broker: TestBroker): Promise<[key: number, version: number][]> {
  using client = await BrokerClient.connect(broker.port)
  const { apiKeys } = await client.apiVersions()
  return apiKeys.flatMap(({ apiKey }) => {
    const [min, max] = apiByKey(apiKey)!.versions
    return Array.from({ length: max - min + 1 }, (_, at): [number, number] => [apiKey, min + at])
  })
}

/** The most memory that the process ever had, in MiB. */
function peakMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) / 1024)
}
