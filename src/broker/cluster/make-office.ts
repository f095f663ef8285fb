import type { Address } from '../../env/env.ts'
import { randomUuid } from '../../env/random.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { StoredLog } from '../metadata/store.ts'
import { ControllerShell, type ControllerShellOptions } from './controller-shell.ts'
import { WireClientError } from '../wire/client/client-error.ts'
import type { KnownLog } from './known-log.ts'
import { HeldOffice } from './office.ts'
import type { ClusterOptions } from './options.ts'
import { rulesOf } from './rules.ts'

/** What was read while this broker had the lease. */
export interface ReadLog {
  readonly log: StoredLog
  readonly image: MetadataImage
  /** When the lease was asked for, in monotonic milliseconds. */
  readonly acquiredAtMs: number
}

export type OfficeHooks = Pick<ControllerShellOptions, 'onPublish' | 'onSilence' | 'onFailure'>

/** A controller over what was read, which has claimed nothing yet; `known` learns what it commits. */
export function makeOffice(
  options: ClusterOptions,
  { log, image, acquiredAtMs }: ReadLog,
  known: KnownLog,
  hooks: OfficeHooks,
): HeldOffice {
  const { env, store, clusterId, brokerId, isSoleBroker = true } = options
  const { retryDelayMs = 500, producerIdBlockCount } = options
  const { sessionTimeoutMs } = options.timers ?? {}
  const shell = new ControllerShell({
    clock: env.clock,
    store,
    cursor: log.cursor,
    retryDelayMs,
    controller: {
      brokerId,
      claimId: randomUuid(env.random),
      clusterId: clusterId ?? randomUuid(env.random),
      image,
      nextSequence: log.cursor.nextSequence,
      snapshotSequence: log.snapshot?.sequence ?? 0,
      snapshotIntervalMax: store.snapshotIntervalMax,
      unsnapshottedMax: store.unsnapshottedMax,
      room: store.room,
      payloadBytesMax: store.payloadBytesMax,
      rules: rulesOf(options),
      hashAt: sequence => known.feed.hashOf(sequence),
      ...(sessionTimeoutMs === undefined ? {} : { brokerSessionMs: sessionTimeoutMs }),
      ...(producerIdBlockCount === undefined ? {} : { producerIdBlockCount }),
    },
    mayAppend: () => office.mayAppend,
    onCommitted: record => known.committed({ ...record, isNote: false }),
    onNoted: note => known.committed({ ...note, isNote: true }),
    ...hooks,
  })
  const office = new HeldOffice({
    clock: env.clock,
    shell,
    lease: isSoleBroker ? null : store.lease,
    acquiredAtMs,
    dial: id => dial(options, known.image.brokers.get(id)?.peer ?? null),
    isContested: () => [...known.image.brokers.keys()].some(id => id !== brokerId),
  })
  return office
}

/** Lets nothing follow: whoever lets this broker in is there. */
async function dial({ peers }: ClusterOptions, address: Address | null): Promise<void> {
  if (peers === undefined || address === null) {
    throw new WireClientError('unreachable', 'there is no way to that broker')
  }
  const client = await peers.connect(address)
  client.close()
}
