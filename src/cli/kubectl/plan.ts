import type { LogBroker } from '../../operator/crd/broker.ts'
import type { LogCluster } from '../../operator/crd/cluster.ts'
import { askPod, get, list, type Kubectl } from './kubectl.ts'
import { table } from './table.ts'

/** As much of /v1/restart-risk (docs/http.md) as is shown. */
interface Risks {
  readonly controllerId: number
  readonly brokers: readonly Risk[]
}

interface Risk {
  readonly brokerId: number
  readonly isFenced: boolean
  readonly isDrained: boolean
  readonly leads: number
  readonly behind: Named
  readonly underMin: Named
  readonly offline: Named
  readonly unavoidableCount: number
}

interface Named {
  readonly count: number
  readonly names: readonly string[]
}

/** `kubectl logcluster plan`: what the operator is about to do, and what a restart of each broker would risk now. It only reads. */
export async function planText(
  kubectl: Kubectl,
  { name, scope }: { readonly name: string; readonly scope: readonly string[] },
): Promise<string> {
  const cluster = await get<LogCluster>(kubectl, 'logcluster', name, scope)
  const { namespace } = cluster.metadata
  const all = await list<LogBroker>(kubectl, 'logbrokers', [`--namespace=${namespace}`])
  const brokers = all
    .filter(({ spec }) => spec.clusterRef.name === name)
    .toSorted((a, b) => a.spec.brokerId - b.spec.brokerId)
  const risks = await askAny(kubectl, brokers)
  return [plannedText(cluster), riskText(brokers, risks)].join('\n\n')
}

function plannedText({ metadata, status }: LogCluster): string {
  const { plan = [] } = status
  if (plan.length === 0) return `The operator plans nothing for ${metadata.name}.`
  const rows = plan.map(each => [each.broker, each.action, each.state, each.message])
  const named = plan.flatMap(({ broker, partitions = [] }) =>
    partitions.length === 0 ? [] : [`in the way of ${broker}: ${partitions.join(', ')}`],
  )
  return [table(['broker', 'action', 'state', 'why'], rows), ...named].join('\n')
}

/** Any broker tells of all of them; null where none answers. */
async function askAny(kubectl: Kubectl, brokers: readonly LogBroker[]): Promise<Risks | null> {
  for (const { metadata } of brokers) {
    const { name, namespace } = metadata
    try {
      const path = '/v1/restart-risk'
      return JSON.parse(await askPod(kubectl, { namespace, pod: `${name}-0`, path })) as Risks
    } catch {
      // The next one may answer.
    }
  }
  return null
}

function riskText(brokers: readonly LogBroker[], risks: Risks | null): string {
  if (risks === null) return 'No broker answers that tells what a restart would risk.'
  const known = brokers.map(broker => ({
    name: broker.metadata.name,
    risk: risks.brokers.find(({ brokerId }) => brokerId === broker.spec.brokerId),
  }))
  const rows = known.map(({ name, risk }) => {
    if (risk === undefined) return [name, 'unknown', '-', '-', '-', '-', '-']
    const counts = [risk.leads, risk.behind.count, risk.underMin.count, risk.offline.count]
    return [name, stateOf(risk), ...[...counts, risk.unavoidableCount].map(String)]
  })
  const headings = ['broker', 'state', 'leads', 'behind', 'under min', 'offline', 'unavoidable']
  const named = known.flatMap(({ name, risk }) => {
    const names = [...(risk?.offline.names ?? []), ...(risk?.underMin.names ?? [])]
    return names.length === 0 ? [] : [`a restart of ${name} would harm: ${names.join(', ')}`]
  })
  return ['What a restart would risk now:', table(headings, rows), ...named].join('\n')
}

function stateOf({ isFenced, isDrained, behind }: Risk): string {
  if (isFenced) return 'fenced'
  if (isDrained) return 'drained'
  return behind.count > 0 ? 'behind' : 'in sync'
}
