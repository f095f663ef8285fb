import { configurationName } from '../desired/pod-template.ts'
import { podMonitor } from '../desired/pod-monitor.ts'
import { names } from '../desired/names.ts'
import { nodePortBootstraps, servicesOfBroker } from '../desired/services.ts'
import type { Pod, Stored } from '../kubernetes/objects.ts'
import type { BrokerView } from './broker-view.ts'
import { departingOf } from './departure.ts'
import { type EarlierListeners, isStillUsed } from './earlier-listeners.ts'
import { resourceOf } from './kinds.ts'
import type { Observed } from './observed.ts'
import { isOf } from './ownership.ts'
import { exactly, type Step } from './step.ts'

/** What nobody wants or uses any more: Services of listeners that are gone, files of earlier settings. */
export function leftoverSteps(
  observed: Observed,
  views: readonly BrokerView[],
  earlier: EarlierListeners,
): Step[] {
  return [
    ...services(observed, views, earlier),
    ...monitors(observed),
    ...views.flatMap(configurations),
  ]
}

function services(
  observed: Observed,
  views: readonly BrokerView[],
  earlier: EarlierListeners,
): Step[] {
  const { cluster } = observed
  const wanted = new Set([
    names.headlessService(cluster.metadata.name),
    names.bootstrapService(cluster.metadata.name),
    ...nodePortBootstraps(cluster).map(({ metadata }) => metadata.name),
    // One that leaves is reached until it holds nothing any more.
    ...[
      ...views.map(({ broker }) => broker.name),
      ...departingOf(observed).map(({ metadata }) => metadata.name),
    ].flatMap(broker => servicesOfBroker(cluster, broker).map(({ metadata }) => metadata.name)),
  ])
  return observed.services
    .filter(({ metadata }) => !wanted.has(metadata.name) && isOwned(metadata, cluster.metadata.uid))
    .filter(service => !isStillUsed(service, earlier))
    .flatMap(service => remove(service, 'no listener is exposed by it'))
}

function monitors(observed: Observed): Step[] {
  if (podMonitor(observed.cluster) !== null) return []
  return observed.others
    .filter(each => each.kind === 'PodMonitor' && isOf(each, observed.cluster))
    .flatMap(monitor => remove(monitor, 'metrics.monitor is of another type'))
}

/** A file goes once neither the StatefulSet nor any pod names it: whoever starts again needs what it started with. */
function configurations(view: BrokerView): Step[] {
  const { configurations: all, statefulSet, pod, checks } = view
  const used = new Set([
    configurationName(view),
    ...mounted(statefulSet?.spec?.template.spec),
    ...[pod, ...checks].flatMap(each => mounted(each?.spec)),
  ])
  return [...all.values()]
    .filter(({ metadata }) => !used.has(metadata.name))
    .flatMap(map => remove(map, 'no pod names it any more'))
}

function mounted(spec: Pod['spec'] | undefined): string[] {
  return (spec?.volumes ?? []).flatMap(({ configMap }) => configMap?.name ?? [])
}

function isOwned({ ownerReferences }: Stored['metadata'], uid: string): boolean {
  return ownerReferences?.some(owner => owner.uid === uid) ?? false
}

function remove(object: Stored, because: string): Step[] {
  if (object.metadata.deletionTimestamp !== undefined) return []
  const resource = resourceOf(object)
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
