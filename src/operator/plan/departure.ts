import type { DescribedConfig, PartitionPlace } from '../brokers/brokers.ts'
import type { LogBroker } from '../crd/broker.ts'
import { names } from '../desired/names.ts'
import { hasPlace } from '../desired/slots.ts'
import type { Stored } from '../kubernetes/objects.ts'
import { resources, type Resource } from '../kubernetes/resources.ts'
import { logBrokers } from '../own-kinds.ts'
import { annotated } from './annotated.ts'
import { named, type BrokerView } from './broker-view.ts'
import type { Observed } from './observed.ts'
import { exactly, type Step } from './step.ts'
import type { ToldCluster } from './told.ts'

/** Set by Kafka's tools too (KIP-1066): no new replica is placed there. */
const cordon = 'cordoned.log.dirs'
/** On a LogBroker: the operator cordoned its broker, and takes that back where it stays after all. */
const departingAnnotation = 'logcluster.dev/departing'

/** Of the cluster: its LogBrokers that have no place in the spec, the latest slot first. */
export function departingOf({
  cluster,
  logBrokers: all,
}: Pick<Observed, 'cluster' | 'logBrokers'>): readonly LogBroker[] {
  return all
    .filter(
      ({ spec, metadata }) => metadata.deletionTimestamp === undefined && !hasPlace(cluster, spec),
    )
    .toSorted((a, b) => b.spec.slot - a.spec.slot || (a.metadata.name < b.metadata.name ? -1 : 1))
}

/**
 * Brokers that leave are cordoned, then drained, and stopped when nobody has a replica there any more; then they are forgotten. A spec
 * that wants them again ends that at any moment. Claims and identities stay: a broker that comes back has its disk.
 */
export function departureSteps(
  observed: Observed,
  {
    views,
    departing,
    ...found
  }: {
    readonly views: readonly BrokerView[]
    readonly departing: readonly LogBroker[]
    readonly told: ToldCluster | null
    /** Whom to ask. */
    readonly teller: string
  },
): { readonly cordons: readonly Step[]; readonly removals: readonly Step[] } {
  return {
    cordons: [
      ...views.flatMap(view => taken(view)),
      ...departing.flatMap(broker => cordoned(observed, broker)),
    ],
    removals: departing.flatMap(broker => removed(observed, broker, found)),
  }
}

function cordoned({ sights }: Observed, broker: LogBroker): Step[] {
  const { name } = broker.metadata
  const sight = sights.get(name)
  const isNoted = broker.metadata.annotations?.[departingAnnotation] !== undefined
  const note: Step[] = isNoted
    ? []
    : [
        {
          ...annotated(
            broker,
            departingAnnotation,
            'true',
            'the spec has no place for it any more',
          ),
          event: {
            type: 'Normal',
            reason: 'BrokerLeaves',
            action: 'ScaleDown',
            note: `Broker ${name} leaves: its replicas go to the others, then it is stopped. Its volume is kept.`,
          },
        },
      ]
  if (sight?.kind !== 'seen' || sight.configs === null || isCordoned(sight.configs)) return note
  return [...note, setCordon(broker, '*', 'no new replica is to be placed there')]
}

/** A broker that was leaving, and stays. */
function taken({ logBroker, sight }: BrokerView): Step[] {
  if (logBroker?.metadata.annotations?.[departingAnnotation] === undefined) return []
  if (sight?.kind !== 'seen' || sight.configs === null) return []
  return [
    ...(isCordoned(sight.configs)
      ? [setCordon(logBroker, null, 'the spec has a place for it again')]
      : []),
    annotated(logBroker, departingAnnotation, null, 'it stays'),
  ]
}

/** By its own setting: that of all brokers is somebody else's, who may take it back at any moment. */
function isCordoned(configs: ReadonlyMap<string, DescribedConfig>): boolean {
  const found = configs.get(cordon)
  return found?.source === 'dynamic' && found.value === '*'
}

function setCordon({ metadata, spec }: LogBroker, value: string | null, because: string): Step {
  return {
    do: 'alter configs',
    broker: metadata.name,
    changes: [{ of: { kind: 'broker', id: spec.brokerId }, configs: { [cordon]: value } }],
    what: `${cordon} of broker ${metadata.name}`,
    because,
  }
}

function removed(
  { places, sights, statefulSets, pods, configMaps }: Observed,
  broker: LogBroker,
  { told, teller }: { readonly told: ToldCluster | null; readonly teller: string },
): Step[] {
  const { name } = broker.metadata
  const { brokerId } = broker.spec
  // Nothing is concluded from what nobody told.
  if (places === null || told === null) return []
  const holds = ({ replicas }: PartitionPlace): boolean => replicas.includes(brokerId)
  const sight = sights.get(name)
  const isEmpty = sight?.kind !== 'seen' || sight.status.partitionCount === 0
  if (places.partitions.some(holds) || !isEmpty) return []
  const set = named(statefulSets, name)
  if (set !== null)
    return deleted(resources.statefulSets, set, 'nobody has a replica there any more')
  if (named(pods, names.pod(name)) !== null) return []
  const isKnown = told.brokers.get(brokerId)
  if (isKnown !== undefined && !isKnown.isFenced) return []
  return [
    ...(isKnown === undefined ? [] : [forgotten(teller, broker)]),
    ...configMaps
      .filter(({ metadata }) => metadata.name.startsWith(names.configuration(name, '')))
      .flatMap(map => deleted(resources.configMaps, map, 'its broker left')),
    ...deleted(logBrokers, broker, 'its broker left').map(step => ({
      ...step,
      event: {
        type: 'Normal' as const,
        reason: 'BrokerLeft',
        action: 'ScaleDown',
        note: `Broker ${name} left the cluster; its claim and its volume are kept.`,
      },
    })),
  ]
}

function forgotten(teller: string, { metadata, spec }: LogBroker): Step {
  return {
    do: 'unregister broker',
    broker: teller,
    brokerId: spec.brokerId,
    what: `Broker ${spec.brokerId}`,
    because: `${metadata.name} left, and holds nothing`,
    isPermission: true,
  }
}

function deleted(resource: Resource<Stored>, object: Stored, because: string): Step[] {
  if (object.metadata.deletionTimestamp !== undefined) return []
  return [
    {
      do: 'delete',
      resource,
      exactly: exactly(object),
      what: `${resource.kind} ${object.metadata.name}`,
      because,
    },
  ]
}
