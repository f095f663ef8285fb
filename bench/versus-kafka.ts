/**
 * LogCluster beside Apache Kafka on the same machine: `npm run bench -- versus-kafka`. Both run all the time, one has work; they
 * take turns, and what counts is the ratio of each round. The load is librdkafka in C (`load.c`), the same for both.
 * Writes `docs/benchmarks/versus-kafka.md`, and `.json` with every round.
 */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { evict } from '../test/helpers/page-cache.ts'
import { librdkafkaVersion } from '../tools/librdkafka.ts'
import { anonymousMiB, processorSeconds, type Rival, startKafka, startLogCluster } from './rival.ts'

const root = join(import.meta.dirname, '..')
const librdkafka = join(root, `.cache/librdkafka-${librdkafkaVersion}/src`)
const gigabyte = 1e9
const rounds = Number(process.argv[2] ?? 5)
const producedBytes = Number(process.argv[3] ?? 1) * gigabyte
const paceSeconds = 10
const paceRate = 500
const partitions = 4

/** What one broker did in one round, by measure. */
type Measures = Readonly<Record<string, number>>

await main()

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'logcluster-bench-load-'))
  const load = join(folder, 'load')
  const rivals: Rival[] = []
  try {
    compile(load)
    for (const start of [startLogCluster, startKafka]) rivals.push(await start())
    const found: { readonly ours: Measures; readonly theirs: Measures }[] = []
    for (let round = 0; round <= rounds; round++) {
      const [first, second] = round % 2 === 0 ? rivals : rivals.toReversed()
      const one = await measure(load, first!, round)
      const other = await measure(load, second!, round)
      const [ours, theirs] = first === rivals[0] ? [one, other] : [other, one]
      // The first round warms up: the JVM compiles, files and clients come into memory.
      if (round > 0) found.push({ ours, theirs })
      console.error(`round ${round}: ours ${JSON.stringify(ours)} theirs ${JSON.stringify(theirs)}`)
    }
    tell(found)
  } finally {
    for (const rival of rivals) await rival.stop()
    rmSync(folder, { recursive: true })
  }
}

function compile(target: string): void {
  const library = join(librdkafka, 'librdkafka.so.1')
  if (!existsSync(library)) throw new Error(`no ${library}: node tools/librdkafka.ts builds it`)
  const source = join(import.meta.dirname, 'load.c')
  const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-isystem', librdkafka]
  execFileSync('cc', [...flags, '-o', target, source, library, `-Wl,-rpath,${librdkafka}`])
}

/** One turn: produce with two sizes of records, read hot, read from the device, and the tail meanwhile. */
async function measure(load: string, rival: Rival, round: number): Promise<Measures> {
  const run = (...args: (string | number)[]) => runLoad(load, rival, args.map(String))
  const large = `large-${round}`
  const small = `small-${round}`
  const produceLarge = await run('produce', large, producedBytes, 1024)
  const produceSmall = await run('produce', small, producedBytes / 5, 100)
  const hot = await run('consume', large, partitions, produceLarge.records)
  const hotSmall = await run('consume', small, partitions, produceSmall.records)
  const tail = await run('pace', `tail-${round}`, paceSeconds, paceRate)
  await evict(rival.dataDir)
  const [laggingTail, cold] = await Promise.all([
    run('pace', `tail-${round}`, paceSeconds, paceRate),
    coldReader(run, large, produceLarge.records),
  ])
  return {
    'produce 1 KiB, seconds': produceLarge.seconds,
    'produce 1 KiB, processor seconds': produceLarge.processor,
    'produce 100 B, seconds': produceSmall.seconds,
    'produce 100 B, processor seconds': produceSmall.processor,
    'consume 1 KiB hot, seconds': hot.seconds,
    'consume 1 KiB hot, processor seconds': hot.processor,
    'consume 100 B hot, seconds': hotSmall.seconds,
    'consume 100 B hot, processor seconds': hotSmall.processor,
    'tail, p50 ms': tail['p50Ms']!,
    'tail, p99 ms': tail['p99Ms']!,
    'tail beside a cold reader, p50 ms': laggingTail['p50Ms']!,
    'tail beside a cold reader, p99 ms': laggingTail['p99Ms']!,
    'tail beside a cold reader, max ms': laggingTail['maxMs']!,
    'cold read, seconds': cold.seconds,
    'anonymous memory, MiB': anonymousMiB(rival.pid),
  }
}

type Loaded = Readonly<Record<string, number>> & {
  readonly seconds: number
  readonly records: number
  readonly processor: number
}

/** Begins when the tail has been running for some seconds. */
async function coldReader(
  run: (...args: (string | number)[]) => Promise<Loaded>,
  topic: string,
  records: number,
): Promise<Loaded> {
  await new Promise(resolve => setTimeout(resolve, 4000))
  return await run('consume', topic, partitions, records)
}

async function runLoad(load: string, rival: Rival, [what, ...args]: string[]): Promise<Loaded> {
  const before = processorSeconds(rival.pid)
  const { stdout } = await promisify(execFile)(load, [what!, rival.address, ...args])
  const told = JSON.parse(stdout) as Loaded
  return { ...told, processor: processorSeconds(rival.pid) - before }
}

function tell(found: readonly { readonly ours: Measures; readonly theirs: Measures }[]): void {
  const names = Object.keys(found[0]?.ours ?? {})
  if (names.length === 0) throw new Error('nothing was measured')
  const rows = names.map(name => compare(name, found))
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, memoryBytes: totalmem() }
  const run = { date: new Date().toISOString(), kafka: '4.3.1', rounds, producedBytes, machine }
  const folder = join(root, 'docs/benchmarks')
  mkdirSync(folder, { recursive: true })
  const whole = JSON.stringify({ ...run, rows, found }, null, 2)
  writeFileSync(join(folder, 'versus-kafka.json'), `${whole}\n`)
  const page = pageOf(rows, run)
  writeFileSync(join(folder, 'versus-kafka.md'), page)
  console.log(page)
}

interface Row {
  readonly name: string
  /** Medians. */
  readonly ours: number
  readonly kafka: number
  /** Ours by Kafka's of the same round: median, least and most. */
  readonly ratio: readonly [median: number, least: number, most: number]
}

function compare(
  name: string,
  found: readonly { readonly ours: Measures; readonly theirs: Measures }[],
): Row {
  const ours = found.map(round => round.ours[name]!)
  const kafka = found.map(round => round.theirs[name]!)
  const ratios = ours.map((value, at) => value / kafka[at]!)
  return {
    name,
    ours: median(ours),
    kafka: median(kafka),
    ratio: [median(ratios), Math.min(...ratios), Math.max(...ratios)],
  }
}

function pageOf(
  rows: readonly Row[],
  run: {
    readonly date: string
    readonly machine: { readonly cpu: unknown; readonly cores: number }
  },
): string {
  const lines = rows.map(({ name, ours, kafka, ratio: [middle, least, most] }) => {
    const spread = `${least.toFixed(2)} to ${most.toFixed(2)}`
    return `| ${name} | ${ours.toFixed(2)} | ${kafka.toFixed(2)} | ${middle.toFixed(2)} | ${spread} |`
  })
  return `# Beside Apache Kafka

<!-- Written by \`npm run bench -- versus-kafka\`: repeat that instead of a change here. -->

One broker of each on one machine (${run.machine.cores} processors, ${String(run.machine.cpu)}), ${run.date.slice(0, 10)}. Apache Kafka
4.3.1 as its start script runs it (KRaft, heap of 1 GiB, G1), LogCluster as \`npm start\` does. Both run all the time and take turns; the
client is librdkafka in C ([load.c](../../bench/load.c)), one producer or consumer, four partitions, ${producedBytes / 1e9} GB a round of records
of 1 KiB and a fifth of that of 100 B, acks=all. Medians of ${rounds} rounds after one that warms up; the ratio is that of each round, below 1
where LogCluster needs less. The client runs on the same processors, and for the seconds of a whole run it is the client that counts most:
what a broker costs is its processor time.

| measure | LogCluster | Apache Kafka | ratio | spread |
|---|---|---|---|---|
${lines.join('\n')}

"Tail" is a producer of ${paceRate} records of 1 KiB a second and a consumer that follows it, latency from due to received. "Beside a cold reader":
meanwhile another consumer reads everything from the device, the page cache having been evicted. "Anonymous memory" is what the
process keeps beside the page cache, after all of that.

What this does not show: replication, many clients, TLS, more than a minute of load, another disk than this one.
`
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = (sorted.length - 1) / 2
  return (sorted[Math.floor(half)]! + sorted[Math.ceil(half)]!) / 2
}
