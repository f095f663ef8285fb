import type { World } from '../cluster/world.ts'
import { History } from './history.ts'
import { SimProducer } from './producer.ts'
import { SimAdmin } from './topics.ts'

/** Its name comes again and again, and is never the same topic. */
export const passingTopic = 'passing'

/**
 * A topic that is deleted and made anew while somebody writes to it. Nothing of it is owed to anybody: what is looked at is
 * that the cluster bears it, and that the last one is written to.
 */
export class PassingTopic {
  readonly #admin: SimAdmin
  readonly #producer: SimProducer
  readonly #replicas: number
  #isBusy = false
  #isThere = false
  #hasBegun = false

  constructor(world: World) {
    this.#admin = new SimAdmin(world, 'passing-admin')
    this.#replicas = Math.min(3, world.nodes.length)
    const history = new History(() => {})
    const at = { topic: passingTopic, partition: 0 }
    const options = { world, history, ...at, isIdempotent: false, everyMs: 300 }
    this.#producer = new SimProducer(options, passingTopic)
  }

  /** Deletes it where it is there, and makes it where it is not; false while that is under way. */
  pass(): boolean {
    if (this.#isBusy) return false
    void this.#change()
    return true
  }

  /** Resolves when it is there and something was written to it; at once where it never was. */
  async settle(): Promise<void> {
    if (!this.#hasBegun) return
    while (this.#isBusy || !this.#isThere) {
      if (!this.#isBusy) await this.#change()
      else await this.#admin.pause(100)
    }
    const { ackedCount } = this.#producer
    while (this.#producer.ackedCount === ackedCount) await this.#admin.pause(100)
  }

  stop(): void {
    this.#admin.stop()
    this.#producer.stop()
  }

  async #change(): Promise<void> {
    this.#isBusy = true
    if (this.#isThere) await this.#admin.delete(passingTopic)
    else {
      const wish = { partitions: 2, replicas: this.#replicas, minInsyncReplicas: 1 }
      await this.#admin.create({ name: passingTopic, ...wish })
    }
    this.#isThere = !this.#isThere
    this.#isBusy = false
    if (this.#hasBegun) return
    this.#hasBegun = true
    void this.#producer.run()
  }
}
