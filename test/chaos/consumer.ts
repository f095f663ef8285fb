import { refuseErrors } from '../../src/broker/wire/client/client-error.ts'
import { errorCode as codeOf, errorName } from '../../src/broker/wire/errors.ts'
import { recordsIn } from '../faults/reader.ts'
import type { Place } from '../faults/world.ts'
import type { ChaosWorld } from './world.ts'

/** Follows one partition wherever it is led, and goes back now and then; tells the ledger every value that it sees. */
export class Consumer {
  readonly #world: ChaosWorld
  readonly #place: Place
  readonly #name: string
  #position = 0

  constructor(world: ChaosWorld, place: Place) {
    this.#world = world
    this.#place = place
    this.#name = `consumer-${place.topic}-${place.partition}`
  }

  run(): Promise<void> {
    const { ledger, random } = this.#world
    return this.#world.onLeader(this.#name, this.#place, async client => {
      while (!this.#world.isDraining) {
        const from = random.chance(1, 10) ? random.below(this.#position + 1) : this.#position
        const answer = await client.fetch(this.#place, from, { waitMs: 200, maxBytes: 1 << 16 })
        // A leader of before, that does not know yet that it is none, may not have what the next one told.
        const isPast = errorName(answer.errorCode) === 'OFFSET_OUT_OF_RANGE'
        refuseErrors(isPast ? codeOf('NOT_LEADER_OR_FOLLOWER') : answer.errorCode, this.#name)
        const seen = recordsIn(answer.records).filter(({ offset }) => offset >= from)
        for (const { offset, value } of seen) ledger.seen(this.#place.key, offset, value)
        this.#position = Math.max(this.#position, (seen.at(-1)?.offset ?? -1) + 1)
      }
    })
  }
}
