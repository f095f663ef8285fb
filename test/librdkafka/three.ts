import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PartitionId } from '../helpers/broker-client.ts'
import { type Maker, ThreeBrokers } from '../scenarios/three-brokers.ts'
import { settingsFor } from './brokers.ts'
import type { PlannedTest, Scenario } from './plan.ts'
import { type Outcome, runTest } from './test-runner.ts'

/** What came of one test while a broker was killed under it. */
export interface OutcomeOfThree extends Outcome {
  /** Seconds from the start of the runner to the kill; null where it had no topic with a record before it ended. */
  readonly killedAfterSeconds: number | null
}

/** Three brokers a scenario, started when first asked for; the last ones are stopped before others start. */
export class Trios {
  readonly #maker: Maker
  #scenario: Scenario | null = null
  #ground: ThreeBrokers | null = null

  constructor(maker: Maker) {
    this.#maker = maker
  }

  async of(scenario: Scenario): Promise<ThreeBrokers> {
    if (this.#ground === null || this.#scenario !== scenario) {
      await this.#ground?.[Symbol.asyncDispose]()
      this.#ground = await ThreeBrokers.start(settingsFor(scenario), this.#maker)
      this.#scenario = scenario
    }
    await this.#ground.begin()
    return this.#ground
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ground?.[Symbol.asyncDispose]()
  }
}

/**
 * Runs one test; as soon as a topic of its own has a record that all replicas have, the broker that leads this
 * partition is killed, once, and started again 4 s later.
 */
export async function runOnThree(test: PlannedTest, ground: ThreeBrokers): Promise<OutcomeOfThree> {
  const watch = new Watch(ground)
  const known = await watch.topics()
  const began = performance.now()
  const libraries = ['without-passing-errors']
  if (withDefaultReplicas.has(test.id)) libraries.push('with-default-replicas')
  const running = runTest(test, ground.address, libraries.map(built))
  let isOver = false
  const over = (): boolean => (isOver = true)
  running.then(over, over)
  let killedAfterSeconds: number | null = null
  while (!isOver && killedAfterSeconds === null) {
    const written = await watch.firstWritten(known)
    if (written === null) {
      await sleep(20)
      continue
    }
    await ground.middle({ is: 'leader', ...written })
    killedAfterSeconds = (performance.now() - began) / 1000
  }
  watch.close()
  return { ...(await running), killedAfterSeconds }
}

class Watch {
  readonly #witness: Promise<Awaited<ReturnType<ThreeBrokers['connect']>>>

  constructor(ground: ThreeBrokers) {
    this.#witness = ground.connect()
  }

  async topics(): Promise<Set<string>> {
    const { topics } = await (await this.#witness).metadata()
    return new Set(topics.map(({ name }) => name!))
  }

  /** The first partition that has a record, of a topic that is none of `known`. */
  async firstWritten(known: ReadonlySet<string>): Promise<PartitionId | null> {
    const witness = await this.#witness
    const { topics } = await witness.metadata()
    const own = topics.filter(({ name }) => !known.has(name!) && !name!.startsWith('__'))
    const led = own.flatMap(({ name, partitions }) =>
      partitions
        .filter(({ leaderId }) => leaderId >= 0)
        .map(({ partitionIndex, leaderId }) => ({
          leaderId,
          of: { topic: name!, partition: partitionIndex },
        })),
    )
    for (const { leaderId, of } of led) {
      // Whoever leads no more, or knows no such topic any more, since the test has deleted it, is not asked again.
      const client = await witness.client(leaderId)
      const { errorCode, offset } = await client.listOffset(of, -1)
      if (errorCode === 0 && offset > 0) return of
    }
    return null
  }

  close(): void {
    void this.#witness.then(witness => witness.close())
  }
}

/** Tests that have no time to wait until the only broker that has a partition is there again. */
export const withDefaultReplicas: ReadonlySet<string> = new Set(['0102 full', '0113', '0113 full'])

/** The library of this source beside here, to be preloaded. */
function built(name: string): string {
  const folder = join(import.meta.dirname, '../../.cache/librdkafka-logs')
  mkdirSync(folder, { recursive: true })
  const library = join(folder, `${name}.so`)
  const source = join(import.meta.dirname, `${name}.c`)
  execFileSync('cc', ['-O1', '-Wall', '-Werror', '-shared', '-fPIC', '-o', library, source, '-ldl'])
  return library
}
