import { startBroker, type TestBroker } from '../helpers/broker.ts'
import type { Scenario } from './plan.ts'
import type { Outcome } from './test-runner.ts'

/** One broker a scenario, started when first asked for; one that died is replaced, and the test has failed. */
export class Brokers {
  readonly #brokers = new Map<Scenario, TestBroker>()
  #current: TestBroker | null = null
  #toldTo = 0

  async of(scenario: Scenario): Promise<TestBroker> {
    let broker = this.#brokers.get(scenario)
    if (broker?.isRunning !== true) {
      await broker?.[Symbol.asyncDispose]()
      broker = await startBroker({ settings: settingsFor(scenario) })
      this.#brokers.set(scenario, broker)
    }
    this.#current = broker
    this.#toldTo = broker.output.length
    return broker
  }

  /** The outcome of a test that ended the broker is that it failed, whatever its client thought. */
  verdict(outcome: Outcome): Pick<Outcome, 'result' | 'remark'> {
    if (this.#current?.isRunning === true) return outcome
    return { result: 'fail', remark: `the broker died: ${outcome.remark}` }
  }

  /** What the broker of the last `of` has said since. */
  saidSince(): string {
    return this.#current?.output.slice(this.#toldTo) ?? ''
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const broker of this.#brokers.values()) await broker[Symbol.asyncDispose]()
  }
}

export function settingsFor(scenario: Scenario): Record<string, string> {
  return {
    'num.partitions': '4',
    'auto.create.topics.enable': String(scenario !== 'noautocreate'),
    'group.initial.rebalance.delay.ms': scenario === 'delayed' ? '3000' : '0',
  }
}
