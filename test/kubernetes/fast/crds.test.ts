import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { definitions, schemaOf } from '../../../src/operator/crd/definitions.ts'
import { fieldsOf, rulesOf } from '../../../src/operator/crd/fields.ts'
import type { Schema } from '../../../src/operator/crd/open-api.ts'
import type { RunResult } from '../../helpers/run.ts'
import { startControlPlane } from '../cluster.ts'
import {
  broker,
  cluster,
  type Loose,
  told,
  topic,
  violations,
  type Violation,
} from './violations.ts'
import { installCrds } from '../crds.ts'

const root = join(import.meta.dirname, '../../..')
const namespace = 'streaming'

let plane: Awaited<ReturnType<typeof startControlPlane>>

beforeAll(async () => {
  plane = await startControlPlane()
  await installCrds(plane)
  await plane.kubectl(['create', 'namespace', namespace])
})

afterAll(() => plane?.[Symbol.asyncDispose]())

function kubectl(args: readonly string[], object?: object): Promise<RunResult> {
  const input = object === undefined ? {} : { input: JSON.stringify(object) }
  return plane.kubectl(['-n', namespace, ...args], input)
}

async function read(kind: string, name: string): Promise<Loose> {
  return JSON.parse((await kubectl(['get', kind, name, '-o', 'json'])).stdout) as Loose
}

/** As the operator tells it. */
async function tell(kind: string, name: string, status: object): Promise<void> {
  const patch = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status })]
  await kubectl(['patch', kind, name, ...patch])
}

/** What a refused command says; fails where it was not refused. */
async function refusal(args: readonly string[], object: object): Promise<string> {
  const input = JSON.stringify(object)
  const all = ['-n', namespace, ...args]
  const { status, stderr } = await plane.kubectl(all, { input, anyStatus: true })
  expect(status, `nobody refused ${input}`).toBe(1)
  return stderr
}

function changed(object: object, change: Violation['change']): Loose {
  const copy = structuredClone(object) as Loose
  change(copy)
  return copy
}

function pathsOf(schema: Schema): string[] {
  return fieldsOf(schema)
    .map(({ path }) => path)
    .toSorted()
}

test('each CRD is accepted whole: nothing in it is unknown or dropped', async () => {
  for (const definition of definitions) {
    const name = `${definition.plural}.logcluster.dev`
    const crd = JSON.parse((await kubectl(['get', 'crd', name, '-o', 'json'])).stdout) as Loose
    const conditions: Loose[] = crd['status'].conditions
    expect(conditions.find(({ type }) => type === 'NonStructuralSchema')).toBeUndefined()
    expect(conditions.find(({ type }) => type === 'NamesAccepted')?.['status']).toBe('True')
    const served = crd['spec'].versions[0].schema.openAPIV3Schema as object
    expect(pathsOf(served)).toEqual(pathsOf(schemaOf(definition)))
  }
})

for (const file of readdirSync(`${root}/examples`)) {
  test(`examples/${file} is applied, and every field of it is kept`, async () => {
    await kubectl(['create', 'namespace', 'examples'])
    const text = readFileSync(`${root}/examples/${file}`, 'utf8')
    for (const document of parseAllDocuments(text)) {
      const given = document.toJSON() as Loose
      const here = { ...given, metadata: { ...given['metadata'], namespace: 'examples' } }
      const applied = await plane.kubectl(
        ['apply', '--server-side', '--validate=strict', '-f', '-', '-o', 'json'],
        { input: JSON.stringify(here) },
      )
      expect(JSON.parse(applied.stdout)).toMatchObject(here)
    }
    await plane.kubectl(['delete', 'lc-all,networkpolicies', '--all', '-n', 'examples'])
    await plane.kubectl(['delete', 'namespace', 'examples', '--wait=false'])
    await plane.kubectl(['replace', '--raw', '/api/v1/namespaces/examples/finalize', '-f', '-'], {
      input: JSON.stringify({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'examples' },
        spec: { finalizers: [] },
      }),
    })
  })
}

/** Of the one rule that needs an object of its own. */
const idOfAnother = 'spec.clusterId must be the id that the cluster has'

test('every rule is violated once', () => {
  const said = [idOfAnother, ...violations.map(({ says }) => says)]
  const messages = definitions.flatMap(definition =>
    rulesOf(schemaOf(definition)).map(({ rule }) => rule.message),
  )
  const unviolated = messages.filter(message => !said.some(says => message.startsWith(says)))
  expect(unviolated).toEqual([])
})

const objects = { LogCluster: cluster, LogTopic: topic, LogBroker: broker }

for (const [kind, object] of Object.entries(objects)) {
  test(`a rule of ${kind} refuses with its sentence and no other`, async () => {
    await kubectl(['create', '-f', '-'], object)
    await tell(kind, object.metadata.name, told[kind as Violation['on']])
    const stored = await read(kind, object.metadata.name)
    const schema = schemaOf(definitions.find(definition => definition.kind === kind)!)
    const messages = new Set(rulesOf(schema).map(({ rule }) => rule.message))
    for (const { when, change, says } of violations.filter(({ on }) => on === kind)) {
      const text =
        when === 'created'
          ? await refusal(['create', '-f', '-'], changed(object, change))
          : await refusal(['replace', '-f', '-'], changed(stored, change))
      const said = [...messages].filter(message => text.includes(message))
      const wanted = [...messages].filter(message => message.startsWith(says))
      expect({ says, said, text }).toEqual({ says, said: wanted, text })
    }
    await kubectl(['delete', kind, object.metadata.name])
  })
}

test('the id of a cluster that has one is not another', async () => {
  const { clusterId, ...spec } = cluster.spec
  await kubectl(['create', '-f', '-'], { ...cluster, spec })
  const patch = ['patch', 'lc', 'orders', '--type=merge', '-p']
  const status = { clusterId: 'AAAAAAAAAAAAAAAAAAAAAA' }
  await kubectl([...patch, JSON.stringify({ status }), '--subresource=status'])
  const text = await refusal([...patch, JSON.stringify({ spec: { clusterId } })], {})
  expect(text).toContain(idOfAnother)
  await kubectl([...patch, JSON.stringify({ spec: status })])
  await kubectl(['delete', 'lc', 'orders'])
})

test('a volume grows, a topic gets partitions, a listener comes and goes', async () => {
  await kubectl(['create', '-f', '-'], cluster)
  await kubectl(['create', '-f', '-'], topic)
  const grown = await read('lc', 'orders')
  grown['spec'].pools[0].storage.volumes[0].size = '20Gi'
  grown['spec'].listeners.pop()
  await kubectl(['replace', '-f', '-'], grown)
  await kubectl(['patch', 'lt', 'payments', '--type=merge', '-p', '{"spec": {"partitions": 12}}'])
  expect((await read('lt', 'payments'))['spec'].partitions).toBe(12)
  await kubectl(['delete', 'lc-all', '--all'])
})

test('a size that no volume was given is taken back, and another one is not', async () => {
  await kubectl(['create', '-f', '-'], cluster)
  const size = (wanted: string): Loose => {
    const [pool] = cluster.spec.pools
    const [volume] = pool!.storage.volumes
    const storage = { volumes: [{ ...volume, size: wanted }] }
    return { spec: { pools: [{ ...pool, storage }] } }
  }
  const patch = ['patch', 'lc', 'orders', '--type=merge', '-p']
  await kubectl([...patch, JSON.stringify(size('20Gi'))])
  expect(await refusal([...patch, JSON.stringify(size('10Gi'))], {})).toContain('can only grow')
  const conditions = [
    {
      type: 'StorageHealthy',
      status: 'False',
      reason: 'ExpansionRefused',
      message: '',
      lastTransitionTime: '2026-11-28T12:00:00Z',
    },
  ]
  await kubectl([...patch, JSON.stringify({ status: { conditions } }), '--subresource=status'])
  await kubectl([...patch, JSON.stringify(size('10Gi'))])
  expect((await read('lc', 'orders'))['spec'].pools[0].storage.volumes[0].size).toBe('10Gi')
  await kubectl(['delete', 'lc', 'orders'])
})

test('partitions that no topic was given are taken back, and those that it has are not', async () => {
  await kubectl(['create', '-f', '-'], topic)
  const patch = ['patch', 'lt', 'payments', '--type=merge', '-p']
  const wish = (partitions: number | null): string[] => [
    ...patch,
    JSON.stringify({ spec: { partitions } }),
  ]
  for (const partitions of [5, null, 6]) await kubectl(wish(partitions))
  await tell('lt', 'payments', { partitions: 6 })
  await kubectl(wish(60))
  expect(await refusal(wish(5), {})).toContain('cannot be less than the topic has')
  expect(await refusal(wish(null), {})).toContain('cannot be less than the topic has')
  await kubectl(wish(6))
  await kubectl(['delete', 'lt', 'payments'])
})

test('defaults are filled in, config is kept as it is, and what is unknown elsewhere goes', async () => {
  const config = { 'log.retention.hours': 168, 'log.cleaner.min.cleanable.ratio': 0.5, 'a.b': true }
  const volumes = [{ name: 'data', size: '1Gi' }]
  const pools = [{ name: 'main', storage: { volumes }, replicas: 3 }]
  const given = { ...cluster, spec: { config, pools, flavour: 'mild' } }
  await kubectl(['create', '--validate=false', '-f', '-'], given)
  const { spec, status } = await read('lc', 'orders')
  const parsed = definitions[0]!.spec.parse({
    config,
    pools: [{ name: 'main', storage: { volumes } }],
  })
  expect(spec).toEqual(parsed)
  expect(
    (status as Loose)['conditions'].map(({ type, status }: Loose) => [type, status]),
  ).toContainEqual(['Ready', 'Unknown'])
  await kubectl(['delete', 'lc', 'orders'])
})

test('kubectl get tells what a person asks first', async () => {
  for (const object of [cluster, topic, broker]) await kubectl(['create', '-f', '-'], object)
  const status = {
    version: '0.1.0',
    brokers: 1,
    readyBrokers: 1,
    columns: { brokers: '1/1', status: 'Running' },
  }
  const patch = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status })]
  await kubectl(['patch', 'lc', 'orders', ...patch])
  const columns = async (what: string): Promise<string[][]> =>
    (await kubectl(['get', what])).stdout
      .trim()
      .split('\n')
      .map(line => line.split(/ {2,}/).map(cell => cell.trim()))
  expect(await columns('lc')).toEqual([
    ['NAME', 'READY', 'BROKERS', 'VERSION', 'STATUS', 'AGE'],
    ['orders', 'Unknown', '1/1', '0.1.0', 'Running', expect.stringMatching(/^\d+s$/)],
  ])
  expect((await columns('lt'))[0]).toEqual([
    'NAME',
    'CLUSTER',
    'PARTITIONS',
    'READY',
    'STATUS',
    'AGE',
  ])
  expect((await columns('lb'))[0]).toEqual([
    'NAME',
    'CLUSTER',
    'ID',
    'READY',
    'NODE',
    'VERSION',
    'STATUS',
    'AGE',
  ])
  const all = (await kubectl(['get', 'lc-all', '-o', 'name'])).stdout.trim().split('\n')
  expect(all.toSorted()).toEqual([
    'logbroker.logcluster.dev/orders-main-0',
    'logcluster.logcluster.dev/orders',
    'logtopic.logcluster.dev/payments',
  ])
  await kubectl(['delete', 'lc-all', '--all'])
})

test('deleting a LogCluster leaves the LogTopic of the same name', async () => {
  const namesake = { ...topic, metadata: { name: 'orders' } }
  for (const word of ['logcluster', 'logclusters', 'lc', 'logclusters.logcluster.dev']) {
    await kubectl(['create', '-f', '-'], cluster)
    await kubectl(['apply', '-f', '-'], namesake)
    await kubectl(['delete', word, 'orders'])
    const left = (await kubectl(['get', 'lc-all', '-o', 'name'])).stdout.trim()
    expect(left, `after kubectl delete ${word}`).toBe('logtopic.logcluster.dev/orders')
  }
  await kubectl(['delete', 'lt', '--all'])
})
