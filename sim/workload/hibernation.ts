import { sleep } from '../../src/env/clock.ts'
import type { Node } from '../cluster/node.ts'
import type { World } from '../cluster/world.ts'
import { SimAdmin } from './topics.ts'

/** Who has not stopped in order after this is killed. */
const stopMsMax = 10_000

/** Who is not back after this is waited for no longer. */
const wakeMsMax = 20_000

/** What an operator does to a cluster that hibernates and wakes (decision 0016): freezes it, stops all, starts all, thaws it. */
export class Hibernation {
  readonly #world: World
  readonly #admin: SimAdmin
  readonly #clock: ReturnType<World['client']>['clock']
  #isUnderWay = false

  constructor(world: World) {
    this.#world = world
    this.#admin = new SimAdmin(world, 'hibernation')
    this.#clock = world.client('hibernation-clock').clock
  }

  get isUnderWay(): boolean {
    return this.#isUnderWay
  }

  stop(): void {
    this.#admin.stop()
  }

  /** `asleepMs`: how long nobody runs. */
  begin(asleepMs: number): void {
    this.#isUnderWay = true
    this.#run(asleepMs)
      .catch((error: unknown) => this.#world.fail(`hibernation: ${String(error)}`))
      .finally(() => (this.#isUnderWay = false))
  }

  async #run(asleepMs: number): Promise<void> {
    const { nodes, trace } = this.#world
    await this.#admin.freeze(true)
    trace.note('the cluster is frozen')
    for (const node of nodes) {
      node.isSupervised = false
      node.stop()
    }
    await this.#until(stopMsMax, ({ isAlive }) => !isAlive)
    for (const node of nodes) node.kill()
    await sleep(this.#clock, asleepMs)
    for (const node of nodes) {
      node.isSupervised = true
      node.start()
    }
    await this.#until(wakeMsMax, ({ isRunning }) => isRunning)
    await this.#admin.freeze(false)
    trace.note('the cluster is thawed')
  }

  async #until(msMax: number, isSo: (node: Node) => boolean): Promise<void> {
    const untilMs = this.#clock.monotonic() + msMax
    while (this.#clock.monotonic() < untilMs && !this.#world.nodes.every(isSo)) {
      await sleep(this.#clock, 100)
    }
  }
}
