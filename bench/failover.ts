/**
 * How long nobody can write while brokers of three end, again and again: `npm run qualify -- failover [--times 20] [--kinds a,b]`, so
 * many times each kind (bench/failover/endings.ts). Writes `docs/qualification/failover-DATE.json`, or adds to what that has of the
 * same sources, so that it may be run in turns; `--out` names another file. Exits with 1 where a p99 is above its goal.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { endings } from './failover/endings.ts'
import { missed, type Report, reportOf, type Turn } from './failover/gaps.ts'
import { Bench } from './versus-kafka/bench.ts'
import { brokerCount, type RivalCluster } from './versus-kafka/cluster.ts'
import { Ending } from './versus-kafka/ending.ts'
import { partitions, topic } from './versus-kafka/gap.ts'
import { createTopics } from './versus-kafka/rival.ts'

const folder = join(import.meta.dirname, '../docs/qualification')

async function main(): Promise<number> {
  const date = new Date().toISOString()
  const { values } = parseArgs({
    options: {
      times: { type: 'string', default: '20' },
      kinds: { type: 'string', default: Object.keys(endings).join() },
      out: { type: 'string', default: join(folder, `failover-${date.slice(0, 10)}.json`) },
    },
  })
  const kinds = values.kinds.split(',')
  const wrong = kinds.filter(kind => !Object.hasOwn(endings, kind))
  if (wrong.length > 0) {
    console.error(`There is no ${wrong.join()}, only ${Object.keys(endings).join()}.`)
    return 1
  }
  const [commit, source] = [git('rev-parse', 'HEAD'), git('rev-parse', 'HEAD:src')]
  const before = readReport(values.out)?.turns.filter(turn => turn.source === source) ?? []
  // Each time: what went before an error or the end of anybody's patience counts.
  const measured = new Measured(told => {
    write(values.out, [...before, { date, commit, source, ...told }])
  })
  await measureAll(kinds, Number(values.times), measured)
  const report = readReport(values.out)!
  console.table(report.figures)
  return missed(report).length === 0 ? 0 : 1
}

class Measured {
  readonly #gaps = new Map<string, number[]>()
  readonly #loads: number[] = []
  readonly #changed: (told: Pick<Turn, 'load' | 'gaps'>) => void

  constructor(changed: (told: Pick<Turn, 'load' | 'gaps'>) => void) {
    this.#changed = changed
  }

  note(kind: string, seconds: number): void {
    this.#gaps.set(kind, [...(this.#gaps.get(kind) ?? []), seconds])
    this.#loads.push(loadavg()[0]!)
    const load = this.#loads.reduce((sum, each) => sum + each, 0) / this.#loads.length
    this.#changed({ load: rounded(load), gaps: Object.fromEntries(this.#gaps) })
  }
}

async function measureAll(
  kinds: readonly string[],
  times: number,
  measured: Measured,
): Promise<void> {
  const bench = new Bench(new Ending(), 1)
  await bench.withCluster('ours', async cluster => {
    await createTopics(cluster.brokers[0]!, [topic], partitions, brokerCount)
    for (let turn = 0; turn < times; turn++) {
      for (const kind of kinds) {
        try {
          await cluster.sound(topic, partitions)
          const seconds = rounded(await endings[kind]!.measure(bench, cluster, turn))
          console.log(`  ${turn + 1} ${kind}: ${seconds} s`)
          measured.note(kind, seconds)
        } catch (error) {
          await keep(bench, cluster)
          throw error
        }
      }
    }
  })
}

/** Before the brokers end, so that they tell how it stands. */
async function keep(bench: Bench, cluster: RivalCluster): Promise<void> {
  const into = join(tmpdir(), `logcluster-failover-${process.pid}`)
  await cluster.keep(into)
  if (existsSync(bench.loadLog)) copyFileSync(bench.loadLog, join(into, 'load.log'))
  console.error(`Failover: what is left of the failure lies in ${into}`)
}

function write(path: string, turns: readonly Turn[]): void {
  const goals = Object.entries(endings).flatMap(([kind, { goal }]) =>
    goal === null ? [] : [[kind, goal] as const],
  )
  writeFileSync(path, `${JSON.stringify(reportOf(turns, Object.fromEntries(goals)), null, 2)}\n`)
}

function readReport(path: string): Report | null {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Report) : null
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim()
}

process.exitCode = await main()
