import type { Prng } from '../../src/lib/prng.ts'
import type { TestBroker } from '../helpers/broker.ts'
import type { Served } from './frame-cases.ts'
import type { RequestMaker } from './request-maker.ts'

/** What the parts of one fuzz campaign share. */
export interface Campaign {
  readonly broker: TestBroker
  readonly random: Prng
  readonly maker: RequestMaker
  readonly served: readonly Served[]
  /**
   * Puts the topics back as they were. Frames that are whole are legal wishes: they delete topics, and change what
   * topics and the broker are set to.
   */
  readonly renew: () => Promise<void>
}

/** How often each was done. */
export type PartCounts = Readonly<Record<string, unknown>>
