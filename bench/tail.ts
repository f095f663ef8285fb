/**
 * What lies in the tail, and why: `npm run bench -- tail [seconds, 20] [rounds, 3] [VARIANT,...] [rate,...]`. Records of 1 KiB go out
 * at 500 and at 5,000 a second and are read back; of each that took more than 2 ms the cause is found: who of the
 * parties held it up for most of its time. Variants take turns, each in a broker of its own; the least that any broker can take on
 * this machine is told by a loop in C that stands in one's place.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeBatch } from '../src/broker/log/batch/batch.ts'
import { requestFrame } from '../src/broker/wire/frame.ts'
import { fetch, produce } from '../src/broker/wire/messages/index.ts'
import { BrokerClient, fetchRequest, produceRequest } from '../test/helpers/broker-client.ts'
import { type BrokerOptions, startBroker } from '../test/helpers/broker.ts'
import { type Answering, startFloor } from './tail-floor.ts'
import type { TraceEvent } from './tail-trace.ts'

const rates = (process.argv[5] ?? '500,5000').split(',').map(Number)
/** Above it a record is in the tail. */
const lateNs = 2e6
/** What is written in the place of the fetch offset, to find it by. */
const offsetMark = 0x0102_0304_0506

const floorName = 'a loop in C'

const variants: Readonly<Record<string, BrokerOptions>> = {
  'as it is': {},
  [floorName]: {},
  'never flushed': { settings: { 'flush.policy': 'os' } },
  'never written back': {
    settings: { 'flush.policy': 'os', 'log.write.back.bytes': '1073741824' },
  },
  'collected by one thread': { nodeArgs: ['--single-threaded-gc'] },
  'a small young generation': { nodeArgs: ['--max-semi-space-size=1'] },
  'a large young generation': {
    nodeArgs: ['--min-semi-space-size=16'],
  },
}

interface Late {
  readonly cause: string
  readonly ms: number
}

/** Percentiles of the milliseconds that records took, and why the late ones did. */
interface Times {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly late: readonly Late[]
}

interface Run {
  /** From when a record was due to when it was back. */
  readonly whole: Times
  /** Without what client and broker waited for a processor: what it would be on a machine of their own. */
  readonly net: Times
  /** Milliseconds that each scavenge took. */
  readonly scavenges: readonly number[]
}

await main(Number(process.argv[2] ?? 20), Number(process.argv[3] ?? 3), process.argv[4])

async function main(seconds: number, rounds: number, only: string | undefined): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'logcluster-tail-'))
  try {
    const client = join(folder, 'tail')
    const flags = ['-O2', '-Wall', '-Wextra', '-Werror']
    execFileSync('cc', [...flags, '-o', client, join(import.meta.dirname, 'tail.c')])
    const names = only?.split(',') ?? Object.keys(variants)
    for (const rate of rates) {
      const found = new Map(names.map(name => [name, [] as Run[]]))
      for (let round = 0; round < rounds; round++) {
        for (const name of round % 2 === 0 ? names : names.toReversed()) {
          const run = await measure({ folder, client, name, seconds, rate })
          found.get(name)!.push(run)
        }
      }
      for (const [name, runs] of found) tell(`${rate} a second, ${name}`, runs)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface Measured {
  readonly folder: string
  readonly client: string
  readonly name: string
  readonly seconds: number
  readonly rate: number
}

async function measure(what: Measured): Promise<Run> {
  const { name } = what
  const variant = variants[name]
  if (variant === undefined) throw new Error(`no variant ${name}: ${Object.keys(variants).join()}`)
  const requests = writeRequests(what.folder)
  if (name === floorName) {
    const floor = await startFloor(what.folder, requests[2]!)
    const lines = runClient(what, floor, requests)
    await floor.stop()
    return judge(lines, [])
  }
  return await measureBroker(what, variant, requests)
}

async function measureBroker(
  what: Measured,
  variant: BrokerOptions,
  requests: readonly string[],
): Promise<Run> {
  const trace = join(what.folder, 'trace.json')
  const broker = await startBroker({
    ...variant,
    nodeArgs: ['--import', join(import.meta.dirname, 'tail-trace.ts'), ...(variant.nodeArgs ?? [])],
    env: { TAIL_TRACE: trace },
  })
  try {
    using asking = await BrokerClient.connect(broker.port)
    await asking.createTopics([{ name: 'tail' }])
    const lines = runClient(what, broker, requests)
    asking.close()
    await broker.stop()
    return judge(lines, JSON.parse(readFileSync(trace, 'utf8')) as TraceEvent[])
  } finally {
    await broker[Symbol.asyncDispose]()
  }
}

function runClient(
  { client, seconds, rate }: Measured,
  { port, pid }: Omit<Answering, 'stop'>,
  requests: readonly string[],
): string[] {
  const numbers = [port, pid, seconds, rate].map(String)
  const lines = execFileSync(client, [...numbers, ...requests], { maxBuffer: 2 ** 30 })
  return lines.toString().trim().split('\n')
}

/** The two requests that the client repeats, and where the offset stands in the second. */
function writeRequests(folder: string): string[] {
  const to = { topic: 'tail', partition: 0 }
  const header = { correlationId: 1, clientId: 'tail' }
  const records = encodeBatch({
    records: [{ value: new Uint8Array(1024) }],
    baseTimestamp: Date.now(),
  })
  const asked = { ...fetchRequest(to, offsetMark, { waitMs: 500 }), sessionEpoch: -1 }
  const frames = [
    requestFrame(produce, 8, header, produceRequest(to, records, -1)),
    requestFrame(fetch, 11, header, asked),
  ].map(parts =>
    Buffer.concat(parts.map(part => (part instanceof Uint8Array ? part : new Uint8Array(0)))),
  )
  const mark = Buffer.alloc(8)
  mark.writeBigInt64BE(BigInt(offsetMark))
  const paths = ['produce', 'fetch'].map(name => join(folder, name))
  paths.forEach((path, at) => writeFileSync(path, frames[at]!))
  return [...paths, String(frames[1]!.indexOf(mark))]
}

function judge(lines: readonly string[], events: readonly TraceEvent[]): Run {
  const records = lines.map(line => {
    const [due = 0, sent = 0, , heard = 0, clientWaited = 0, brokerWaited = 0] = line
      .split(' ')
      .map(Number)
    return { due, sent, heard, clientWaited, brokerWaited }
  })
  const whole = (of: Sample) => of.heard - of.due
  const net = (of: Sample) => Math.max(0, of.heard - of.sent - of.clientWaited - of.brokerWaited)
  return {
    whole: timesOf(records, events, whole, waits),
    net: timesOf(records, events, net, () => []),
    scavenges: events.flatMap(({ name, from, to }) =>
      name === 'gc scavenge' ? [(to - from) / 1e6] : [],
    ),
  }
}

interface Sample {
  readonly due: number
  readonly sent: number
  readonly heard: number
  readonly clientWaited: number
  readonly brokerWaited: number
}

type Causes = readonly (readonly [cause: string, ns: number])[]

function timesOf(
  records: readonly Sample[],
  events: readonly TraceEvent[],
  tookNs: (of: Sample) => number,
  others: (of: Sample) => Causes,
): Times {
  const took = records.map(tookNs).toSorted((a, b) => a - b)
  const at = (share: number) => took[Math.floor(took.length * share)]! / 1e6
  const late = records
    .filter(record => tookNs(record) > lateNs)
    .map(record => {
      const causes = [...others(record), ...causesWithin(record, events)]
      return blame(causes, tookNs(record))
    })
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), late }
}

function waits({ due, sent, clientWaited, brokerWaited }: Sample): Causes {
  return [
    ['the client was late to send', sent - due],
    ['the client waited for a processor', clientWaited],
    ['the broker waited for a processor', brokerWaited],
  ]
}

/** What the broker did meanwhile. What slept inside of the addon waited for the file system, or for memory. */
function causesWithin(
  { sent, heard, brokerWaited }: Sample,
  events: readonly TraceEvent[],
): Causes {
  const meanwhile = events.filter(event => event.from < heard && event.to > sent)
  const job = meanwhile.find(({ name }) => name.startsWith('job '))
  const beside = job === undefined ? '' : `, beside ${job.name}`
  const causes = new Map<string, number>()
  const add = (cause: string, ns: number) => causes.set(cause, (causes.get(cause) ?? 0) + ns)
  for (const event of meanwhile) {
    const { name, from, to } = event
    const overlap = Math.min(to, heard) - Math.max(from, sent)
    if (name.startsWith('job ')) continue
    if (name.startsWith('gc ')) add(name, Math.max(0, overlap - brokerWaited))
    else {
      const { ran, slept } = withoutInner(event, meanwhile)
      add(`slept in ${name}${beside}`, Math.min(slept, overlap))
      add(`worked in ${name}`, Math.min(ran, overlap))
    }
  }
  return [...causes]
}

/** What an event ran and slept by itself: a callback's time is not that of what it calls, nor of a collection in it. */
function withoutInner(
  event: TraceEvent,
  events: readonly TraceEvent[],
): { readonly ran: number; readonly slept: number } {
  let { ran } = event
  let slept = event.to - event.from - event.ran - event.waited
  for (const inner of events) {
    const isWithin = inner !== event && inner.from >= event.from && inner.to <= event.to
    if (!isWithin || inner.name.startsWith('job ')) continue
    const { from, to, waited } = inner
    ran -= inner.ran
    slept -= Math.max(0, to - from - inner.ran - waited)
  }
  return { ran: Math.max(0, ran), slept: Math.max(0, slept) }
}

/** Who held it up for most of its time. */
function blame(causes: Causes, tookNs: number): Late {
  const [cause = '', most = 0] = causes.toSorted((a, b) => b[1] - a[1])[0] ?? []
  return { cause: most < tookNs / 4 ? 'nobody of these' : cause, ms: tookNs / 1e6 }
}

function tell(what: string, runs: readonly Run[]): void {
  console.log(what)
  tellTimes(
    'as measured',
    runs.map(({ whole }) => whole),
  )
  tellTimes(
    'without waits for a processor',
    runs.map(({ net }) => net),
  )
  tellScavenges(runs.flatMap(({ scavenges }) => scavenges))
}

function tellScavenges(ms: readonly number[]): void {
  const sorted = ms.toSorted((a, b) => a - b)
  const [median = 0, most = 0] = [sorted[sorted.length >> 1], sorted.at(-1)]
  console.log(`  scavenges: ${ms.length}, median ${median.toFixed(2)}, most ${most.toFixed(2)} ms`)
}

function tellTimes(which: string, runs: readonly Times[]): void {
  const median = (of: (times: Times) => number): string =>
    runs
      .map(of)
      .toSorted((a, b) => a - b)
      [runs.length >> 1]!.toFixed(2)
  const late = runs.flatMap(run => run.late)
  console.log(
    `  ${which}: p50 ${median(it => it.p50)}, p99 ${median(it => it.p99)}, ` +
      `p99.9 ${median(it => it.p999)} ms; ${late.length} later than ${lateNs / 1e6} ms`,
  )
  const causes = Map.groupBy(late, ({ cause }) => cause)
  for (const [cause, some] of [...causes].toSorted((a, b) => b[1].length - a[1].length)) {
    const share = ((100 * some.length) / late.length).toFixed(0)
    const most = Math.max(...some.map(({ ms }) => ms)).toFixed(1)
    console.log(`    ${share.padStart(3)} % ${cause} (${some.length}, up to ${most} ms)`)
  }
}
