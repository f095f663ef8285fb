import { resources } from '../kubernetes/resources.ts'
import type { ConfigMap } from '../kubernetes/objects.ts'
import { type DiskIdentity, identityData } from '../../kubernetes/disk-identity.ts'
import type { BrokerView } from './broker-view.ts'
import { departingOf, isAlone } from './departure.ts'
import type { Observed, Sight } from './observed.ts'
import type { Step } from './step.ts'

/** Who fills the ring of a cluster of several brokers whose volumes were adopted. */
export type Filling =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'wait'
      readonly waitsFor: string
      /** The spec has no place for a broker whose copy may be wanted: nobody is given what follows from that spec. */
      readonly isHeld?: true
    }
  /** It has the longest copy of the metadata log. */
  | { readonly kind: 'choose'; readonly view: BrokerView; readonly sequence: number }
  /** It has filled the ring: the permission is over. */
  | { readonly kind: 'withdraw'; readonly view: BrokerView }

/**
 * A ring that was made anew waits for a copy, and each broker has one. What a broker was told is committed, and in its copy before it
 * acts by it: so the longest copy has all that anybody acted upon, and every other one is a beginning of it. Chosen is when every broker
 * has told how far its own reaches: one that has not may have the longest. Filled from a shorter one the ring would be behind the others,
 * who would not follow it. A broker that is to leave counts too: one that comes to be alone in the spec would take its own copy
 * without a question.
 */
export function fillingOf(observed: Observed, views: readonly BrokerView[]): Filling {
  if (isAlone(observed)) return { kind: 'none' }
  const departing = departingOf(observed)
  const ends = views.map(view => ({ view, sequence: awaitedBy(view.sight) }))
  const permitted = ends.find(({ view }) => view.identity?.mayFill === true)
  if (permitted !== undefined) {
    const { view, sequence } = permitted
    if (sequence === -1) return { kind: 'withdraw', view }
    return { kind: 'wait', waitsFor: `broker ${view.broker.name} fills it` }
  }
  const ofLeaving = departing.map(({ metadata }) => observed.sights.get(metadata.name) ?? null)
  const told = [...ends.map(({ sequence }) => sequence), ...ofLeaving.map(awaitedBy)]
  const isAwaited = told.some(sequence => sequence !== null && sequence >= 0)
  // Nobody waits; or one has read what is there, so that it is filled.
  if (!isAwaited || told.includes(-1)) return { kind: 'none' }
  const [leaving] = departing
  if (leaving !== undefined) {
    const { name } = leaving.metadata
    const waitsFor = `spec.pools has no place for ${name}, whose copy may be the longest: give back the number of brokers until it is taken`
    return { kind: 'wait', waitsFor, isHeld: true }
  }
  const untold = ends.find(({ sequence }) => sequence === null)
  if (untold !== undefined) {
    const { name } = untold.view.broker
    return { kind: 'wait', waitsFor: `broker ${name} has not told how far its copy reaches` }
  }
  const [longest] = ends.toSorted((a, b) => b.sequence! - a.sequence!)
  if (longest!.sequence === 0) return { kind: 'wait', waitsFor: 'no broker has a copy' }
  return { kind: 'choose', view: longest!.view, sequence: longest!.sequence! }
}

/** How far the copy reaches of a broker that waits; -1 where it does not wait, null where it does not tell. */
function awaitedBy(sight: Sight | null): number | null {
  return sight?.kind === 'seen' ? Number(sight.status.awaitedCopySequence ?? -1) : null
}

export function fillingSteps(filling: Filling): Step[] {
  if (filling.kind === 'withdraw') {
    return written(filling.view, false, { because: 'the ring is filled' })
  }
  if (filling.kind !== 'choose') return []
  const { view, sequence } = filling
  const { name } = view.broker
  return written(view, true, {
    because: `its copy of the metadata log is the longest, up to record ${sequence}`,
    event: {
      type: 'Normal',
      reason: 'MetadataFromDisk',
      action: 'Adopt',
      note: `The metadata is taken from the disk of broker ${name}, whose copy is the longest: up to record ${sequence}.`,
    },
  })
}

function written(
  { identity, identityMap: map }: BrokerView,
  mayFill: boolean,
  told: Pick<Step, 'because' | 'event'>,
): Step[] {
  if (identity === null || map === null) return []
  const { mayFill: _, ...rest } = identity
  const next: DiskIdentity = mayFill ? { ...rest, mayFill } : rest
  return [
    {
      do: 'replace',
      resource: resources.configMaps,
      stored: { ...map, data: identityData(next) } as ConfigMap,
      what: `ConfigMap ${map.metadata.name}`,
      ...told,
    },
  ]
}
