import { endpointText } from '../../lib/endpoint-text.ts'
import type { LogBroker } from '../crd/broker.ts'
import { tellBrokersApart } from '../crd/listener.ts'
import { addressesOf, type Address } from '../desired/addresses.ts'
import type { WantedSettings } from '../desired/settings.ts'
import type { BrokerView } from './broker-view.ts'

/** One address that clients would be told of several brokers, as a reason and a sentence. */
export interface SharedAddress {
  readonly reason: 'AddressShared'
  readonly message: string
}

interface Told extends Address {
  readonly broker: string
}

/**
 * Of brokers that are wanted, and of those that leave, as long as they do. Of listeners one by one: what two of them tell may be meant
 * for two networks. What nodes are called is not asked here: each broker has its own.
 */
export function sharedAddress(
  views: readonly BrokerView[],
  leaving: readonly LogBroker[] = [],
): SharedAddress | null {
  const wanted = views.flatMap(view => toldOf(view, `node of ${view.broker.name}`))
  const other = leaving.flatMap(({ metadata: { name: broker }, status }) =>
    (status.addresses ?? []).map(address => ({ broker, ...address })),
  )
  return firstShared([...wanted, ...other])
}

/** Of brokers whose pods are on one node, whose address is all that tells them apart. It ends when one of them moves. */
export function sharedAtNode(views: readonly BrokerView[]): SharedAddress | null {
  const placed = views.filter(({ pod }) => pod?.status?.hostIP !== undefined)
  return firstShared(placed.flatMap(view => toldOf(view, view.pod!.status!.hostIP!)))
}

/** Nothing of a running broker is touched for what would send its clients to another one. */
export function withAddresses(
  settings: WantedSettings,
  shared: SharedAddress | null,
): WantedSettings {
  if (shared === null) return settings
  const { reason, message } = shared
  const before = settings.kind === 'problems' ? settings : { reason, problems: [] }
  return { kind: 'problems', ...before, problems: [...before.problems, message] }
}

/** Without those at a port that Kubernetes gave, or is about to: it gives none twice. */
function toldOf({ cluster, broker }: BrokerView, nodeHost: string): Told[] {
  return addressesOf(cluster, broker, nodeHost)
    .filter(({ listener, port }) => port !== broker.nodePorts.get(listener) && !Number.isNaN(port))
    .map(address => ({ broker: broker.name, ...address }))
}

function firstShared(all: readonly Told[]): SharedAddress | null {
  const groups = Map.groupBy(all, ({ listener, host, port }) => `${listener} ${host} ${port}`)
  const [first, ...others] = [...groups.values()].filter(({ length }) => length > 1)
  if (first === undefined) return null
  const { listener, host, port } = first[0]!
  const names = first.slice(0, 3).map(({ broker }) => broker)
  const rest = first.length > names.length ? `, and ${first.length - names.length} others` : ''
  const more = others.length === 0 ? '' : ` (and ${others.length} more addresses)`
  return {
    reason: 'AddressShared',
    message:
      `Listener ${listener} tells clients one address, ${endpointText(host, port)}${more}, of several brokers: ${names.join(', ')}${rest}. ` +
      `They would come to the wrong one: in its expose.advertised ${tellBrokersApart}.`,
  }
}
