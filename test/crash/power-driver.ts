import { writeSync } from 'node:fs'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { defaultSettings } from '../../src/broker/config/settings.ts'
import { openEnv } from '../../src/broker/open-env.ts'
import { LogDirectory } from '../../src/broker/log/directory/log-directory.ts'
import { stampBatch } from '../../src/broker/log/batch/batch.ts'
import { logDirectoryName } from '../../src/broker/log/log-id.ts'
import type { Log } from '../../src/broker/log/log.ts'
import { Prng } from '../../src/lib/prng.ts'
import type { LogHistory } from './log-history.ts'
import { problemsOf, producerProblems, scan } from './recovered-log.ts'
import { PlannedLog } from './planned-log.ts'
import type { PowerOrder, PowerReport } from './power-loss.ts'

/**
 * A process for power-loss.ts to kill: recovers what is on the disk, compares it with the plan, and goes on with
 * the plan, saying at once what has become durable. Begins when it gets its order, so that it is loaded by then.
 */
async function main(order: PowerOrder): Promise<void> {
  const { env } = openEnv('auto')
  const path = `${order.mountPoint}/data`
  const directory = await LogDirectory.open({
    path,
    env,
    clusterId: 'power',
    brokerId: 1,
    bootId: order.bootId,
    settings: { ...defaultSettings(), logWriteBackBytes: 65_536, growthStepBytes: 8192 },
  })
  const plans = Array.from({ length: order.logs }, (_, at) => new PlannedLog(order.planSeed, at))
  const random = new Prng(order.seed)
  const logs: Log[] = []
  const problems: string[] = []
  for (const plan of plans) {
    const log = await directory.openLog(plan.id, plan.config)
    logs.push(log)
    const folder = `${path}/${logDirectoryName(plan.id)}`
    const laid = scan(env.disk, folder)
    const history = { explains: plan.explains.bind(plan), keptBelow: () => [] }
    const past = history as unknown as LogHistory
    if (log.offline !== null) problems.push(`${log.name}: out of service: ${log.offline}`)
    problems.push(...(await problemsOf(log, laid, { history: past, prng: random, at: 0 })))
    problems.push(...producerProblems(log, laid, past))
  }
  const ends = logs.map(log => log.endOffset)
  report({ kind: 'recovered', startClass: directory.startClass, ends, problems })
  const writers = logs.map((log, at) => new PlanWriter(plans[at]!, log, at, order.liesAboutFlush))
  while (true) {
    random.pick(writers).appendSome(1 + random.below(3))
    if (random.chance(1, 4)) await sleep(1)
    else await turn()
    for (const writer of writers) writer.reportDurable()
  }
}

class PlanWriter {
  readonly #plan: PlannedLog
  readonly #log: Log
  readonly #index: number
  readonly #lies: boolean
  #number: number
  #reported = -1

  constructor(plan: PlannedLog, log: Log, index: number, lies: boolean) {
    this.#plan = plan
    this.#log = log
    this.#index = index
    this.#lies = lies
    const number = plan.numberAt(log.endOffset)
    if (number === null) throw new Error(`${log.name} ends within a batch, at ${log.endOffset}`)
    this.#number = number
  }

  appendSome(count: number): void {
    for (let at = 0; at < count; at++) {
      const { bytes, baseOffset, leaderEpoch } = this.#plan.batch(this.#number++)
      const sent = bytes.slice()
      stampBatch(sent, 0, 0, -1)
      this.#log.append(sent, { leaderEpoch, origin: 'client' }, result => {
        if (result.ok && result.baseOffset === baseOffset) return
        report({ kind: 'broken', problem: `${baseOffset}: ${JSON.stringify(result)}` })
      })
    }
  }

  reportDurable(): void {
    const durable = this.#lies ? this.#log.endOffset : this.#log.durableOffset
    if (durable === this.#reported) return
    this.#reported = durable
    report({ kind: 'durable', log: this.#index, offset: durable })
  }
}

/** Out of the process before anything else happens. */
function report(what: PowerReport): void {
  writeSync(1, `${JSON.stringify(what)}\n`)
}

const [order] = (await once(process.stdin, 'data')) as [Buffer]
await main(JSON.parse(order.toString()) as PowerOrder)
