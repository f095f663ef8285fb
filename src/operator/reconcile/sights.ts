import { sleep, type Clock } from '../../env/clock.ts'
import { BrokerError } from '../brokers/broker-error.ts'
import type { BrokerAccess, Brokers, BrokerStatus, DescribedConfig } from '../brokers/brokers.ts'
import type { Sight } from '../plan/observed.ts'

/** For so long a pass waits for the answer of a broker. */
const patienceMs = 1000
const forgetMs = 3_600_000

/** Asks brokers how they are, and remembers since when one is silent. */
export class Sights {
  readonly #brokers: Brokers
  readonly #clock: Clock
  /** Monotonic time of the last answer, or of the first question, by pod: another pod is another process. */
  readonly #heardAtMs = new Map<string, number>()

  constructor(brokers: Brokers, clock: Clock) {
    this.#brokers = brokers
    this.#clock = clock
  }

  /** How the broker in the pod of this uid is. Never rejects, and never takes much longer than a second. */
  async ask(podUid: string, access: BrokerAccess): Promise<Sight> {
    const startMs = this.#clock.monotonic()
    this.#forget(startMs - forgetMs)
    const heardAtMs = this.#heardAtMs.get(podUid) ?? startMs
    this.#heardAtMs.set(podUid, heardAtMs)
    try {
      const status = await this.#inTime(this.#brokers.status(access))
      this.#heardAtMs.set(podUid, this.#clock.monotonic())
      return {
        kind: 'seen',
        status,
        configs: status.isReady ? await this.#configs(access, status) : null,
      }
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      const forMs = this.#clock.monotonic() - heardAtMs
      return { kind: 'silent', forMs, message: error.message, isRefused: error.kind === 'refused' }
    }
  }

  /** Pods that nobody asks any more. One that is asked again after so long is a new one. */
  #forget(beforeMs: number): void {
    for (const [uid, atMs] of this.#heardAtMs) if (atMs < beforeMs) this.#heardAtMs.delete(uid)
  }

  async #configs(
    access: BrokerAccess,
    { brokerId }: BrokerStatus,
  ): Promise<ReadonlyMap<string, DescribedConfig> | null> {
    try {
      const asked = this.#brokers.describeConfigs(access, [{ kind: 'broker', id: brokerId }])
      const [described] = await this.#inTime(asked)
      return described instanceof Map ? described : null
    } catch (error) {
      if (error instanceof BrokerError) return null
      throw error
    }
  }

  async #inTime<Answer>(asked: Promise<Answer>): Promise<Answer> {
    const late = sleep(this.#clock, patienceMs).then((): never => {
      throw new BrokerError('unreachable', `no answer within ${patienceMs} ms`)
    })
    // The loser of the race may still fail, which is nobody's business then.
    asked.catch(() => {})
    late.catch(() => {})
    return Promise.race([asked, late])
  }
}
