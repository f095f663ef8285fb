import type { MetadataImage } from '../../metadata/image.ts'
import type { MetadataRecord } from '../../metadata/records.ts'
import type { Answer, Command } from './commands.ts'

/** A broker that was asked all the time, and answered nothing since `sinceMs`, in monotonic milliseconds. */
export interface BrokerSilence {
  readonly brokerId: number
  readonly sinceMs: number
}

export type ControllerEvent =
  /** Once, first: claim the next epoch, and create the cluster where there is none. */
  | { readonly type: 'started' }
  /** `id` is new, and comes back with the answer. */
  | { readonly type: 'commanded'; readonly id: number; readonly command: Command }
  /** About every 100 ms, by a clock that only goes forward. */
  | { readonly type: 'tick'; readonly nowMs: number }
  /** The broker's connections were reset, and it took no other within a second: its process has ended. */
  | { readonly type: 'connectionReset'; readonly brokerId: number }
  /** This broker asked the controller before it, and got no answer. */
  | ({ readonly type: 'foundSilent' } & BrokerSilence)
  /** Whoever asked waits no longer. */
  | { readonly type: 'withdrawn'; readonly id: number }
  /** The answers to `append`. */
  | { readonly type: 'committed'; readonly nextSequence: number; readonly usedBytes?: number }
  | { readonly type: 'unavailable' }
  /** The answers to `snapshot`. `snapshotUnknown`: it must be repeated. */
  | { readonly type: 'snapshotWritten'; readonly nextSequence: number; readonly usedBytes?: number }
  | { readonly type: 'snapshotUnavailable' }
  | { readonly type: 'snapshotUnknown' }
  /** An answer to both: somebody else has appended. */
  | { readonly type: 'lost' }
  /** The pause that `wait` asked for is over. */
  | { readonly type: 'waited' }
  | { readonly type: 'stopped' }

/** To be performed in this order. */
export type ControllerEffect =
  /** Append after the last record known. Repeated with the same bytes until its outcome is certain. */
  | { readonly type: 'append'; readonly epoch: number; readonly payload: Uint8Array }
  /** Pause a moment, because the store does not answer. */
  | { readonly type: 'wait' }
  /** Keep `image` as a snapshot: it is the state after the last record. */
  | { readonly type: 'snapshot'; readonly epoch: number; readonly image: MetadataImage }
  /** `records` are committed; `image` has them. */
  | {
      readonly type: 'publish'
      readonly image: MetadataImage
      readonly records: readonly MetadataRecord[]
    }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer }
  /** No longer the controller: somebody else is. */
  | { readonly type: 'resign' }
