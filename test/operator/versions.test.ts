import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packageVersion } from '../../src/env/real/package-version.ts'
import type { LogCluster } from '../../src/operator/crd/cluster.ts'
import type { Draft } from '../../src/operator/kubernetes/objects.ts'
import { oldestOperator, tooOldFor } from '../../src/operator/plan/operator-versions.ts'
import { isOfBroker, storedClusters, storedText, storedWorld, worldOf } from './stored-clusters.ts'
import { created, minimal, pool, reasons, type World } from './world.ts'

const releases = join(import.meta.dirname, '../golden/releases')
/** Each cluster that a release has left, with all its objects. */
const files = readdirSync(releases).flatMap(release =>
  readdirSync(join(releases, release, 'clusters')).map(file => `${release}/clusters/${file}`),
)

function text(file: string): string {
  return readFileSync(join(releases, file), 'utf8')
}

test('clusters of one broker and of several are kept of each release, of this one too', () => {
  const ours = Object.keys(storedClusters).map(
    name => `${packageVersion(import.meta.dirname)}/clusters/${name}.json`,
  )
  expect(files).toEqual(expect.arrayContaining(ours))
  const brokers = files.map(file => worldOf(text(file)).api.all('LogBroker').length)
  expect(Math.min(...brokers)).toBe(1)
  expect(Math.max(...brokers)).toBe(3)
})

describe.for(files)('an operator that comes upon a cluster of %s', file => {
  test('restarts nobody and touches nothing of a broker', async () => {
    const world = worldOf(text(file))
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.api.writes.filter(isOfBroker)).toEqual([])
    expect(world.brokers.altered).toEqual([])
    expect(world.nodes.starts).toEqual([])
  })
})

test.for(Object.keys(storedClusters))(
  'an operator of the same version that begins anew writes nothing at all: %s',
  async name => {
    const kept = storedText(await storedWorld(storedClusters[name]!))
    const world = worldOf(kept)
    await world.converge()
    expect(world.api.writes).toEqual([])
    expect(storedText(world)).toBe(kept)
  },
)

describe('the oldest operator that may keep a cluster', () => {
  test('is not younger than the one that writes it, which else would refuse its own', () => {
    const status = { oldestOperator } as LogCluster['status']
    const version = packageVersion(import.meta.dirname)
    expect(tooOldFor({ status } as LogCluster, version)).toBeNull()
  })

  test.for([
    ['0.2.0', '0.10.0', true],
    ['0.10.0', '0.2.0', false],
    ['1.0.0', '0.9.9', false],
    ['0.2.0-rc.1', '0.2.0', false],
    ['0.2.1', '0.2.1', false],
    ['unknown', '9.9.9', false],
    ['0.1.9', '0.2.0-rc.1', true],
  ] as const)('operator %s beside %s: too old is %s', ([version, oldest, isTooOld]) => {
    const cluster = { status: { oldestOperator: oldest } } as LogCluster
    expect(tooOldFor(cluster, version) !== null).toBe(isTooOld)
  })

  test('is in the status from the moment of birth, and is raised before anything else is written', async () => {
    const world = await created()
    expect(world.cluster.status.oldestOperator).toBe(oldestOperator)
    const { oldestOperator: _, ...status } = world.cluster.status
    world.api.put({ ...world.cluster, status } as unknown as Draft)
    world.api.remove('Service', { namespace: 'streaming', name: 'orders-bootstrap' })
    const before = world.api.writes.length
    await world.converge()
    expect(world.api.writes.slice(before)).toEqual([
      'apply status LogCluster orders',
      'apply Service orders-bootstrap',
    ])
    expect(world.cluster.status.oldestOperator).toBe(oldestOperator)
  })

  test('is never lowered', async () => {
    const world = await created()
    keptBy(world, '0.3.0')
    world.restartOperator({ version: '0.3.1' })
    world.apply(pool({ resources: { requests: { memory: '2Gi' } } }))
    await world.converge()
    expect(world.nodes.starts).toHaveLength(2)
    expect(world.cluster.status.oldestOperator).toBe('0.3.0')
  })
})

/** An operator of `version` has kept it, and written more than this one knows. */
function keptBy(world: World, version: string): void {
  const { cluster } = world
  const lastTransitionTime = '2026-01-01T00:00:00Z'
  const said = { status: 'True', reason: 'Later', message: 'From later.' }
  const later = { type: 'Mirrored', ...said, lastTransitionTime }
  const status = {
    ...cluster.status,
    oldestOperator: version,
    mirrors: ['elsewhere'],
    conditions: [...(cluster.status.conditions ?? []), later],
  }
  world.api.put({ ...cluster, status } as unknown as Draft)
}

describe('an operator that is older than what it comes upon', () => {
  const three = (memory: string) => pool({ brokers: 3, resources: { requests: { memory } } })

  test('touches nothing, whatever is wanted, and says what to do', async () => {
    const world = await created(three('1Gi'))
    keptBy(world, '0.3.0')
    world.restartOperator({ version: '0.2.9' })
    world.apply(three('2Gi'))
    const before = world.api.writes.length
    const asked = world.brokers.altered.length
    await world.converge()
    expect(world.api.writes.slice(before)).toEqual(['apply status LogCluster orders'])
    expect(world.brokers.altered).toHaveLength(asked)
    expect(world.nodes.starts).toHaveLength(3)
    expect(world.condition('Degraded')).toBe('True OperatorTooOld')
    expect(world.message('Degraded')).toContain('Install an operator that is 0.3.0 or newer')
    expect(world.condition('Progressing')).toBe('False OperatorTooOld')
    expect(world.condition('Stable')).toBe('False Unstable')
    expect(world.cluster.status.columns?.status).toBe('OperatorTooOld')
    expect(reasons(world).at(-1)).toBe('OperatorTooOld')
    // What it does not know stays.
    expect(world.cluster.status).toMatchObject({ oldestOperator: '0.3.0', mirrors: ['elsewhere'] })
    expect(world.condition('Mirrored')).toBe('True Later')
    // The newer one goes on where it was.
    world.restartOperator({ version: '0.3.0' })
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.nodes.starts).toHaveLength(6)
  })

  test('tells the truth of whether clients are served', async () => {
    const world = await created()
    keptBy(world, '0.3.0')
    world.restartOperator({ version: '0.2.0' })
    await world.converge()
    expect(world.condition('Ready')).toBe('True Serving')
    world.nodes.isDead = true
    await world.converge()
    expect(world.condition('Ready')).toBe('Unknown BrokerUnreachable')
  })

  test('deletes no cluster, and leaves its finalizer to who may take it away', async () => {
    const volumes = [{ name: 'data', size: '1Gi' }]
    const storage = { volumes, retention: { whenDeleted: 'Delete' as const } }
    const world = await created({ ...minimal, pools: [{ name: 'main', storage }] })
    keptBy(world, '0.3.0')
    world.restartOperator({ version: '0.2.0' })
    world.api.remove('LogCluster', world.cluster.metadata)
    await world.converge()
    expect(world.cluster.metadata.finalizers).not.toEqual([])
    expect(world.has('PersistentVolumeClaim', 'data-orders-main-0-1')).toBe(true)
    expect(world.condition('Degraded')).toBe('True OperatorTooOld')
  })
})
