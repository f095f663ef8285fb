/**
 * Wake-ups a cold range: `npm run bench -- wake-ups [MiB a partition, 64]` (strace). A broker is traced while one client reads
 * evicted logs, a range of 1 MiB a fetch or of four partitions together. Counted is what its event loop and the
 * threads that send say to one another: each futex(FUTEX_WAKE) that woke a thread which sends, and each
 * write to an eventfd.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeBatch, lastOffset, readBatchHeader } from '../src/broker/log/batch/batch.ts'
import { fetch, produce } from '../src/broker/wire/messages/index.ts'
import { Prng } from '../src/lib/prng.ts'
import { startBroker } from '../test/helpers/broker.ts'
import { BrokerClient, produceRequest } from '../test/helpers/broker-client.ts'
import { evict } from '../test/helpers/page-cache.ts'

const mebibyte = 2 ** 20
const batchBytes = 256 * 1024
const topic = 'history'
const partitions = [0, 1, 2, 3]
const logBytes = Number(process.argv[2] ?? 64) * mebibyte

/** What was read between two moments, in seconds since the epoch. */
interface Reading {
  readonly name: string
  readonly ranges: number
  readonly from: number
  readonly to: number
}

interface Call {
  readonly thread: number
  readonly at: number
  readonly kind: 'wait' | 'wake' | 'event' | 'sendfile'
  /** Of a futex: its address. */
  readonly where: string
}

await main()

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'logcluster-wake-ups-'))
  try {
    const trace = join(folder, 'trace.txt')
    const { loop, readings } = await readTraced(trace)
    const calls = callsOf(readFileSync(trace, 'utf8'))
    for (const reading of readings) tell(reading, calls, loop)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function readTraced(trace: string): Promise<{ loop: number; readings: Reading[] }> {
  const strace = ['strace', '-D', '-f', '-ttt', '-yy', '-s', '0', '--seccomp-bpf']
  const wrapper = [...strace, '-e', 'trace=futex,write,sendfile', '-o', trace]
  await using broker = await startBroker({ wrapper, readyMsMax: 60_000 })
  using client = await BrokerClient.connect(broker.port, { timeoutMs: 60_000 })
  await client.createTopics([{ name: topic, partitions: partitions.length }])
  await fill(client)
  const readings: Reading[] = []
  // Hot first: what a reader of evicted logs leaves behind is dropped, and would be cold again.
  for (const isCold of [false, true]) {
    for (const together of [[0], partitions]) {
      if (isCold) await evict(broker.dataDir)
      const name = `${isCold ? 'cold' : 'hot'}, ${together.length} partition(s) a fetch`
      const from = Date.now() / 1000
      const ranges = await readAll(client, together)
      readings.push({ name, ranges, from, to: Date.now() / 1000 })
    }
  }
  const loop = broker.pid
  await broker.stop()
  return { loop, readings }
}

async function fill(client: BrokerClient): Promise<void> {
  const random = new Prng(1)
  const value = new Uint8Array(batchBytes - 100).map(() => random.uint32())
  const batch = encodeBatch({ records: [{ value }], baseTimestamp: Date.now() })
  for (const partition of partitions) {
    for (let bytes = 0; bytes < logBytes; bytes += batch.length) {
      await client.request(produce, 9, produceRequest({ topic, partition }, batch, 1))
    }
  }
}

/** Reads these partitions to their end, 1 MiB of each a fetch; how many ranges came. */
async function readAll(client: BrokerClient, together: readonly number[]): Promise<number> {
  const offsets = new Map(together.map(partition => [partition, 0]))
  let ranges = 0
  for (let before = -1; before !== ranges;) {
    before = ranges
    const answer = await client.request(fetch, 12, {
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 64 * mebibyte,
      isolationLevel: 0,
      sessionId: 0,
      topics: [
        {
          topic,
          partitions: [...offsets].map(([partition, fetchOffset]) => ({
            partition,
            fetchOffset,
            partitionMaxBytes: mebibyte,
          })),
        },
      ],
      forgottenTopicsData: [],
      rackId: '',
    })
    for (const { partitionIndex, records } of answer.responses[0]!.partitions) {
      if (records === null || records.length === 0) continue
      offsets.set(partitionIndex, endOf(records))
      ranges++
    }
  }
  return ranges
}

function endOf(records: Uint8Array): number {
  let end = 0
  for (let at = 0; at < records.length;) {
    const header = readBatchHeader(records, at)
    end = lastOffset(header) + 1
    at += header.sizeBytes
  }
  return end
}

/** A call that another thread's came between stands in two lines. */
function callsOf(text: string): Call[] {
  const calls: Call[] = []
  const begun = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = /^(\d+) +(\d+\.\d+) (?:<\.\.\. )?(\w+)(.*)$/.exec(line)
    if (match === null) continue
    const [, thread, at, name, rest] = match
    if (rest!.endsWith('<unfinished ...>')) {
      begun.set(thread!, rest!)
      continue
    }
    const all = `${begun.get(thread!) ?? ''}${rest!}`
    const kind = kindOf(name!, all)
    begun.delete(thread!)
    const where = /^\((\w+)/.exec(all)?.[1] ?? ''
    if (kind !== null) calls.push({ thread: Number(thread), at: Number(at), kind, where })
  }
  return calls
}

function kindOf(name: string, rest: string): Call['kind'] | null {
  if (name === 'sendfile') return 'sendfile'
  if (name === 'write') return rest.includes('eventfd') ? 'event' : null
  if (rest.includes('FUTEX_WAIT')) return 'wait'
  return / = [1-9]/.test(rest) ? 'wake' : null
}

function tell({ name, ranges, from, to }: Reading, calls: readonly Call[], loop: number): void {
  const within = calls.filter(({ at }) => at >= from && at <= to)
  const senders = new Set(within.filter(({ kind }) => kind === 'sendfile').map(it => it.thread))
  senders.add(loop)
  const places = new Set(
    calls
      .filter(({ kind, thread }) => kind === 'wait' && senders.has(thread) && thread !== loop)
      .map(({ where }) => where),
  )
  const ours = within.filter(({ thread }) => senders.has(thread))
  const a = (some: readonly Call[]): string => (some.length / ranges).toFixed(2)
  const wakes = ours.filter(({ kind, where }) => kind === 'wake' && places.has(where))
  const events = ours.filter(({ kind, thread }) => kind === 'event' && thread !== loop)
  const sends = ours.filter(({ kind }) => kind === 'sendfile')
  console.log(
    `${name.padEnd(28)} ${ranges} ranges: ${a([...wakes, ...events])} wake-ups a range ` +
      `(${a(wakes)} of a thread, ${a(events)} of the loop), ${a(sends)} sendfile`,
  )
}
