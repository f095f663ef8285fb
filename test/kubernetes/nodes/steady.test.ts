import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../../helpers/eventually.ts'
import type { AuditEvent } from '../control-plane/audit.ts'
import { chart, example, installChart, operatorNamespace } from './installed.ts'
import { Orders } from './orders.ts'
import { reserved } from '../operator-rights.ts'
import { forbidden, needed, permitted } from '../permissions.ts'
import { describeOnNodes, sharedAccess } from './shared.ts'

const orders = new Orders('steady')
const operator = `system:serviceaccount:${operatorNamespace}:logcluster`
const broker = `system:serviceaccount:${orders.namespace}:orders-broker`
/** Ten minutes by `STEADY_SECONDS=600`. */
const steadySeconds = Number(process.env['STEADY_SECONDS'] ?? 90)
/** Without a write for so long, a cluster counts as converged. */
const quietMs = 10_000

/** What this file's cluster does not need beside what no scenario does, and why the chart gives it all the same. */
const unneeded: Readonly<Record<string, string>> = {
  ...reserved,
  'patch logbrokers.logcluster.dev':
    'says that a broker leaves, where the spec has no place for it any more',
  'delete logbrokers.logcluster.dev': 'where a broker has left',
  'get nodes': 'where a broker is not heard for a while',
  'get storageclasses.storage.k8s.io': 'where a claim is not bound at once',
}

describeOnNodes('an operator whose clusters have converged', () => {
  let began: number

  beforeAll(async () => {
    await installChart()
    began = sharedAccess().plane.audit.mark()
    await orders.make()
    await orders.kubectl('apply', '-f', example('topic.yaml'))
    await orders.kubectl('wait', '--for=condition=Ready', 'logtopic/payments', '--timeout=60s')
  }, 240_000)

  afterAll(() => orders.remove())

  test(
    'writes nothing but its Lease, while clients produce and fetch',
    { timeout: (steadySeconds + 240) * 1_000 },
    () =>
      orders.truthfully(10_000, async truth => {
        const { plane } = sharedAccess()
        await eventually('rest', msSinceWrite, ms => ms >= quietMs, 120_000)
        const mark = plane.audit.mark()
        const before = truth.succeeded.fetch
        const end = performance.now() + steadySeconds * 1_000
        while (performance.now() < end) {
          await sleep(1_000)
          expect(writes(operator, mark).filter(isAct).map(told)).toEqual([])
        }
        // It was there, and so were the clients.
        expect(writes(operator, mark).length).toBeGreaterThan(0)
        expect(truth.succeeded.fetch).toBeGreaterThan(before)
        // Not bounded here: their Role names what they may write, which is their Lease and the ring.
        console.log(`brokers wrote in ${steadySeconds} s:`, counted(writes(broker, mark).map(told)))
      }),
  )

  // Of this file's cluster alone, since it is chance which files ran before; `unneeded` has what it cannot bring about.
  test('has needed all that the chart permits it, and nothing else', async () => {
    const { plane } = sharedAccess()
    await liveThrough()
    const requests = (): AuditEvent[] =>
      plane.audit.since(began).filter(({ user }) => user.username === operator)
    const may = await permissions()
    const excused = new Set(Object.keys(unneeded))
    const unused = await eventually(
      'a need of each permission that no reason stands beside',
      async () => {
        await sleep(500)
        const used = needed(requests())
        return [...may].filter(each => !used.has(each))
      },
      found => found.every(each => excused.has(each)),
    )
    console.log('not needed by this cluster:', unused)
    expect([...excused].filter(each => !may.has(each))).toEqual([])
    expect(forbidden(requests()).map(told)).toEqual([])
    expect([...needed(requests())].filter(each => !may.has(each))).toEqual([])
  }, 240_000)
})

/** What needs most permissions: a listener that comes and goes, a topic and volumes that are deleted, and another operator. */
async function liveThrough(): Promise<void> {
  const { plane } = sharedAccess()
  const { spec } = await orders.cluster()
  const expose = { type: 'NodePort', nodePort: { bootstrapPort: 31_194 } }
  await orders.patch({ listeners: [...spec.listeners, { name: 'outside', port: 9094, expose }] })
  await orders.until('Stable', 'True Stable')
  const pools = spec.pools.map(pool => ({
    ...pool,
    storage: { ...pool.storage, retention: { ...pool.storage.retention, whenDeleted: 'Delete' } },
  }))
  await orders.patch({ listeners: spec.listeners, pools })
  await orders.until('Stable', 'True Stable')
  const goes = JSON.stringify({ spec: { deletionPolicy: 'Delete' } })
  await orders.kubectl('patch', 'logtopic', 'payments', '--type=merge', '-p', goes)
  await eventually('a finalizer', () =>
    orders.kubectl('get', 'logtopic', 'payments', '-o', 'jsonpath={.metadata.finalizers}'),
  )
  await orders.kubectl('delete', 'logtopic', 'payments', '--timeout=60s')
  await orders.kubectl('delete', 'logcluster', 'orders', '--timeout=60s')
  // Watches are in the log when they end.
  const rollout = ['-n', operatorNamespace, 'rollout']
  await plane.kubectl([...rollout, 'restart', 'deployment/logcluster'])
  await plane.kubectl([...rollout, 'status', 'deployment/logcluster', '--timeout=60s'])
}

/** That the chart gives the operator. */
async function permissions(): Promise<ReadonlySet<string>> {
  const asked = ['template', 'logcluster', chart, '--namespace', operatorNamespace]
  const { stdout } = await sharedAccess().plane.helm(asked)
  return permitted(stdout, { name: 'logcluster', namespace: operatorNamespace })
}

/** Since a mark, or ever. */
function writes(username: string, mark?: number): AuditEvent[] {
  return sharedAccess()
    .plane.audit.since(mark)
    .filter(({ user, verb }) => user.username === username && !reads.has(verb))
}

const reads = new Set(['get', 'list', 'watch'])

/** But for the renewal of the operator's own Lease. */
function isAct({ objectRef }: AuditEvent): boolean {
  return objectRef?.resource !== 'leases' || objectRef.namespace !== operatorNamespace
}

/** Between the operator's last write and the last request of anybody, by the clock of the API server. */
async function msSinceWrite(): Promise<number> {
  await sleep(500)
  const newest = sharedAccess().plane.audit.since().at(-1)!
  const write = writes(operator).findLast(isAct)!
  return Date.parse(newest.requestReceivedTimestamp) - Date.parse(write.requestReceivedTimestamp)
}

function told({ verb, requestURI }: AuditEvent): string {
  return `${verb} ${requestURI}`
}

function counted(all: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const each of all) counts[each] = (counts[each] ?? 0) + 1
  return counts
}
