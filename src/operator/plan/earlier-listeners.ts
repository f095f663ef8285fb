import { advertisedListeners } from '../desired/properties.ts'
import { brokerLabel, clusterLabel, componentLabel } from '../desired/labels.ts'
import { names } from '../desired/names.ts'
import type { DraftOf, Pod, Service, StatefulSet, Stored } from '../kubernetes/objects.ts'
import { named, type BrokerView } from './broker-view.ts'
import { departingOf } from './departure.ts'
import type { Observed } from './observed.ts'

type PodSpec = NonNullable<Pod['spec']>
type ServiceSpec = NonNullable<Service['spec']>
type ServicePort = NonNullable<ServiceSpec['ports']>[number]

/** A listener of a pod: its container's port of that name. */
interface Place {
  readonly broker: string
  readonly name: string
  readonly port: number
}

/**
 * What clients were told before the spec changed, and reach brokers by until each of those has had its turn in the roll, which may
 * be never, where the check of what is new fails.
 */
export interface EarlierListeners {
  /** Of pods that are there, and of those that a StatefulSet would make. */
  readonly places: readonly Place[]
  /** Those that tell clients something else than is wanted, or would if they began again now. */
  readonly brokers: ReadonlySet<string>
}

export function earlierListeners(
  { pods, statefulSets, ...observed }: Observed,
  views: readonly BrokerView[],
): EarlierListeners {
  const wanted = new Map(
    views.map(({ cluster, broker }) => [broker.name, advertisedListeners(cluster, broker)]),
  )
  // Whoever leaves is given no other template.
  const leaving = departingOf(observed).map(({ metadata }) => metadata.name)
  const all = [...wanted.keys(), ...leaving].flatMap(broker =>
    specsOf(broker, pods, statefulSets).map(spec => ({ broker, spec })),
  )
  return {
    places: all.flatMap(({ broker, spec }) => placesOf(broker, spec)),
    brokers: new Set(
      all.flatMap(({ broker, spec }) =>
        advertisedBy(spec) === wanted.get(broker) ? [] : [broker],
      ),
    ),
  }
}

function specsOf(
  broker: string,
  pods: readonly Pod[],
  statefulSets: readonly StatefulSet[],
): PodSpec[] {
  const running = pods.filter(
    ({ metadata: { labels } }) =>
      labels?.[brokerLabel] === broker && labels[componentLabel] === 'broker',
  )
  const next = named(statefulSets, broker)?.spec?.template.spec
  return [...running.map(({ spec }) => spec), next].filter(spec => spec !== undefined)
}

function containerOf({ containers }: PodSpec): PodSpec['containers'][number] | undefined {
  return containers.find(({ name }) => name === 'broker')
}

function advertisedBy(spec: PodSpec): string | undefined {
  const { env = [] } = containerOf(spec) ?? {}
  return env.find(({ name }) => name === 'LOGCLUSTER_ADVERTISED_LISTENERS')?.value
}

/** But for those that every broker has, and no Service of a listener. */
function placesOf(broker: string, spec: PodSpec): Place[] {
  const { ports = [] } = containerOf(spec) ?? {}
  return ports.flatMap(({ name = '', containerPort: port }) =>
    name === 'private' || name === 'http' ? [] : [{ broker, name, port }],
  )
}

/** Whether a Service that nobody wants any more is one by which clients still come to brokers that were told of it. */
export function isStillUsed({ metadata }: Stored, { brokers }: EarlierListeners): boolean {
  const broker = metadata.labels?.[brokerLabel]
  // What is of no one broker is where clients begin.
  return broker === undefined ? brokers.size > 0 : brokers.has(broker)
}

/** The Service of a listener, or of all where clients begin: as it is wanted, and beside that as it was while there are brokers to be reached so. */
export function alsoEarlier(
  draft: DraftOf<Service>,
  live: Service | null,
  { places, brokers }: EarlierListeners,
): DraftOf<Service> {
  const { spec, metadata } = draft
  const broker = metadata.labels?.[brokerLabel]
  const isHeadless = spec?.clusterIP === 'None'
  if (spec?.ports === undefined || isHeadless) return draft
  const wanted = spec.ports
  const isOfAll = metadata.name === names.bootstrapService(metadata.labels?.[clusterLabel] ?? '')
  const earlier = places.filter(
    place =>
      (broker === undefined || place.broker === broker) &&
      (isOfAll || wanted.some(({ name }) => name === place.name)),
  )
  const isEarlier = broker === undefined ? brokers.size > 0 : brokers.has(broker)
  // Its ports at nodes are what clients were told.
  const wasAtNodes = broker !== undefined && isEarlier && live?.spec?.type === 'NodePort'
  return {
    ...draft,
    spec: {
      ...spec,
      ...(wasAtNodes ? { type: 'NodePort', externalTrafficPolicy: 'Local' } : {}),
      ports: portsFor(wanted, earlier),
    },
  }
}

/**
 * The ports of a Service in the order in which they stand there, and behind them those that are new: an apply merges them by number,
 * and older API servers leave those that were there before the others, whatever was applied, so that no apply would ever be enough.
 */
export function inLiveOrder(draft: DraftOf<Service>, live: Service | null): DraftOf<Service> {
  const numbers = live?.spec?.ports?.map(({ port }) => port) ?? []
  if (draft.spec?.ports === undefined) return draft
  const rank = ({ port }: ServicePort): number =>
    numbers.includes(port) ? numbers.indexOf(port) : numbers.length
  const ports = draft.spec.ports.toSorted((a, b) => rank(a) - rank(b))
  return { ...draft, spec: { ...draft.spec, ports } }
}

/** By its name a port is found in each pod at the number that it has there. */
function portsFor(wanted: readonly ServicePort[], earlier: readonly Place[]): ServicePort[] {
  const numbers = new Set(wanted.map(({ port }) => port))
  const fixed = wanted.some(({ nodePort }) => nodePort !== undefined)
  const more = new Map<number, ServicePort>()
  for (const { name, port } of fixed ? [] : earlier) {
    if (numbers.has(port)) continue
    more.set(port, { name: `${name}-${port}`, port, targetPort: name })
  }
  return [...wanted.map(each => shared(each, earlier)), ...more.values()]
}

/** What has been another listener's: whoever dials the number comes to what listens there. */
function shared(wanted: ServicePort, earlier: readonly Place[]): ServicePort {
  const { name, port } = wanted
  const isOther = earlier.some(place => place.port === port && place.name !== name)
  return isOther ? { ...wanted, targetPort: port } : wanted
}
