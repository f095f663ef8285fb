import { DiskError } from '../../env/env.ts'
import type { Log, Refusal } from '../log/log.ts'
import type { PartitionCore } from './core.ts'
import type { Parting } from './replica/events.ts'
import type { FetchedResult, FetchPosition, LeaderTold } from './requests.ts'

/** What a replica does while it follows: it appends what its leader sent, and cuts what its leader does not have. */
export class FollowerSide {
  readonly #core: PartitionCore

  constructor(core: PartitionCore) {
    this.#core = core
  }

  get position(): FetchPosition {
    const { log } = this.#core
    return { offset: log?.endOffset ?? 0, lastFetchedEpoch: log?.latestEpoch ?? -1 }
  }

  /** See `Partition.appendFetched`. */
  append(records: Uint8Array, told: LeaderTold, done: (result: FetchedResult) => void): void {
    const { leaderEpoch } = told
    // It may wait for its turn, behind a write that stalls.
    const refusalNow = (): Refusal | null => this.#refusal(leaderEpoch)
    const refused = refusalNow()
    if (refused !== null) return done({ ok: false, ...refused })
    const log = this.#core.serving
    const take = (): void => this.#take(log, told, () => done({ ok: true }))
    if (records.length === 0) return take()
    // I-15: whoever leads since may be writing into the file that this was sent from.
    const { fetchOffset = log.endOffset } = told
    const limits = { leaderEpoch, leaderEpochMax: leaderEpoch, fetchOffset, refusalNow }
    log.append(records, { origin: 'replica', ...limits }, result => {
      if (result.ok) {
        this.#core.written(log, take, message => {
          done({ ok: false, error: 'KAFKA_STORAGE_ERROR', message })
        })
        return
      }
      this.#core.noteOffline()
      if (this.#core.log !== log) return done(result)
      // Where a write failed some of the batches may have been kept, and the next fetch says that they are here.
      const refuse = (): void => done(result)
      this.#core.written(log, refuse, refuse)
    })
  }

  /** R4: our epochs beside the leader's say where both logs part. */
  diverged(
    diverging: { readonly epoch: number; readonly endOffset: number },
    leaderEpoch: number,
  ): Promise<void> {
    const own = this.#core.log?.endOfEpoch(diverging.epoch)
    if (own === undefined) return Promise.resolve()
    return this.part({ kind: 'diverging', leader: diverging, own }, leaderEpoch)
  }

  /** Cuts as the replica decides. */
  part(parting: Parting, leaderEpoch: number): Promise<void> {
    return this.#core.following !== null ? this.#core.part(parting, leaderEpoch) : Promise.resolve()
  }

  #refusal(leaderEpoch: number): Refusal | null {
    if (this.#core.following?.leaderEpoch === leaderEpoch) return null
    const message = `The replica does not follow in leader epoch ${leaderEpoch} any longer.`
    return { error: 'FENCED_LEADER_EPOCH', message }
  }

  /** The leader's log begins later: so does ours, as far as it is committed; `then`: the next fetch tells where. */
  #take(
    log: Log,
    { leaderEpoch, highWatermark, logStartOffset }: LeaderTold,
    then: () => void,
  ): void {
    this.#core.step({ type: 'received', leaderEpoch, highWatermark })
    const startOffset = Math.min(logStartOffset, this.#core.replica.highWatermark)
    if (startOffset <= log.startOffset) then()
    else void this.#raiseStart(log, startOffset).then(then)
  }

  async #raiseStart(log: Log, startOffset: number): Promise<void> {
    try {
      await log.raiseStartOffset(startOffset)
      if (this.#core.log === log) this.#core.watchers.startIs(log.startOffset)
    } catch (error) {
      // Whatever is wrong with the disk, its directory tells; what is behind now is raised with the next fetch.
      if (!(error instanceof DiskError)) throw error
    }
  }
}
