import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { logClusterRules, logClusterSpec } from '../../src/operator/crd/cluster.ts'
import { definitions } from '../../src/operator/crd/definitions.ts'
import { run } from '../helpers/run.ts'
import { hasHelm, helmProgram } from '../kubernetes/programs/fetched.ts'
import { chart, objectsOf, render, template, type Rendered, type Values } from './rendered.ts'

const isCi = process.env['CI'] === 'true'
const title =
  isCi || (hasHelm(3) && hasHelm(4))
    ? 'the chart'
    : 'the chart: Helm is not here, npm run test:k8s fetches it'

/** Whole renders that are checked in, without what other tests hold: CRDs and dashboards. */
const small = { crds: { install: false }, dashboards: { enabled: false } }
const goldens: Readonly<Record<string, Values>> = {
  default: small,
  namespaced: {
    ...small,
    watchNamespaces: ['orders', 'streaming'],
    rbac: { clusterScoped: false, aggregate: false },
  },
  everything: {
    ...small,
    fullnameOverride: 'log-operator',
    commonLabels: { team: 'platform' },
    image: {
      repository: 'registry.example:5000/log/logcluster',
      tag: '0.1.1',
      digest: `sha256:${'0'.repeat(64)}`,
      pullSecrets: [{ name: 'regcred' }],
    },
    serviceAccount: { annotations: { 'example.com/role': 'log' } },
    replicas: 2,
    logLevel: 'debug',
    leaseName: 'log-operator',
    extraEnv: [{ name: 'NODE_OPTIONS', value: '--max-old-space-size=200' }],
    podLabels: { tier: 'control' },
    podAnnotations: { 'example.com/note': 'yes' },
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'control', operator: 'Exists' }],
    affinity: { podAntiAffinity: {} },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: { 'app.kubernetes.io/name': 'logcluster-operator' } },
      },
    ],
    priorityClassName: 'high',
    metrics: { monitor: { type: 'PodMonitor', labels: { release: 'kube-prometheus-stack' } } },
    prometheusRule: { enabled: true, labels: { release: 'kube-prometheus-stack' } },
    test: { storageClassName: 'local', waitSeconds: 60 },
  },
}

function goldenFile(name: string): string {
  return join(import.meta.dirname, 'golden', `${name}.yaml`)
}

describe.skipIf(title !== 'the chart')(title, () => {
  test.each([3, 4] as const)('passes the strict lint of Helm %i', async major => {
    const { stdout } = await run(helmProgram(major), ['lint', '--strict', chart])
    expect(stdout).toContain('1 chart(s) linted, 0 chart(s) failed')
    expect(stdout).not.toMatch(/WARNING|ERROR|INFO/)
  })

  test.each(Object.entries(goldens))('renders %s as it is checked in', async (name, values) => {
    const text = await render(values)
    expect(await render(values, 3)).toBe(text)
    if (process.env['LOGCLUSTER_TEST_GOLDEN'] === 'write') writeFileSync(goldenFile(name), text)
    expect(text).toBe(readFileSync(goldenFile(name), 'utf8'))
  })

  test('has every CRD as it is generated, kept when the release goes', async () => {
    const crds = objectsOf(await render({})).filter(isCrd)
    expect(crds.map(({ metadata }) => metadata.name).toSorted()).toEqual(
      definitions.map(({ plural }) => `${plural}.logcluster.dev`).toSorted(),
    )
    for (const crd of crds) {
      expect(crd.metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' })
      const file = join(chart, 'files/crds', `${crd.metadata.name.split('.')[0]}.yaml`)
      expect(crd['spec']).toEqual((parse(readFileSync(file, 'utf8')) as Rendered)['spec'])
    }
  })

  test('has CRDs that go with the release, or none, where that is wished', async () => {
    const going = objectsOf(await render({ crds: { keep: false } })).filter(isCrd)
    expect(going).toHaveLength(definitions.length)
    expect(going.map(({ metadata }) => metadata.annotations)).toEqual(going.map(() => undefined))
    expect(objectsOf(await render({ crds: { install: false } })).filter(isCrd)).toEqual([])
  })

  test('has each dashboard in a ConfigMap that the sidecar finds', async () => {
    const labelled = { dashboards: { labels: { grafana_dashboard: 'yes' }, namespace: 'grafana' } }
    const maps = objectsOf(await render({ ...labelled, crds: { install: false } })).filter(
      ({ kind }) => kind === 'ConfigMap',
    )
    expect(maps).toHaveLength(filesIn('files/dashboards').length)
    for (const { metadata } of maps) {
      expect(metadata).toMatchObject({ namespace: 'grafana', labels: labelled.dashboards.labels })
    }
  })

  test('makes the test cluster where its own pods may run', async () => {
    const nodeSelector = { 'node-role.kubernetes.io/control-plane': '' }
    const tolerations = [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }]
    const [cluster, pod] = testObjects(await render({ ...small, nodeSelector, tolerations }))
    const where = { nodeSelector, tolerations }
    expect(pod!['spec']).toMatchObject(where)
    expect(cluster!['spec']).toMatchObject({ pools: [{ template: { pod: { spec: where } } }] })
    expect(logClusterSpec.parse(cluster!['spec'])).toMatchObject({
      pools: [{ template: { pod: { spec: where } } }],
    })
    const [anywhere] = testObjects(await render(small))
    expect(anywhere!['spec']).toMatchObject({ pools: [{ name: 'main' }] })
    expect(JSON.stringify(anywhere)).not.toContain('template')
  })

  test.each(['a.b-c.0', '0-log', 'l'.repeat(53), `${'l'.repeat(49)}.log`, `l${'-'.repeat(51)}x`])(
    'as release %s has names and labels that Kubernetes takes',
    async release => {
      const objects = objectsOf(await render(small, 4, { release }))
      expect(objects.flatMap(complaints)).toEqual([])
      const [cluster] = testObjects(await render(small, 4, { release }))
      const { name } = cluster!.metadata
      for (const { rule } of logClusterRules.filter(({ rule }) => /metadata.name/.test(rule))) {
        const [, length, pattern] = /<= (\d+)$|matches\('(.*)'\)$/.exec(rule)!
        if (length !== undefined) expect(name.length).toBeLessThanOrEqual(Number(length))
        if (pattern !== undefined) expect(name).toMatch(new RegExp(pattern))
      }
    },
  )

  test('has labels that Kubernetes takes of a version that is none for a label', async () => {
    await using folder = await temporaryChart({
      version: `0.1.0-rc.1+${'a'.repeat(60)}`,
      appVersion: `0.1.0+${'b'.repeat(70)}`,
    })
    const objects = objectsOf(await render(small, 4, { folder: folder.path }))
    expect(objects.flatMap(complaints)).toEqual([])
  })

  test.each([
    ['an unknown value', { image: { pullpolicy: 'Always' } }, 'pullpolicy'],
    ['a boolean where a name belongs', { metrics: { monitor: { type: true } } }, 'monitor'],
    ['a tag in the repository', { image: { repository: 'a/b:1' } }, 'repository'],
    ['a digest that is none', { image: { digest: 'latest' } }, 'digest'],
    ['a namespace that cannot be', { watchNamespaces: ['Orders'] }, 'watchNamespaces'],
  ])('refuses %s', async (_, values, word) => {
    for (const major of [3, 4] as const) {
      const { status, stderr } = await template(values, major, true)
      expect(status).not.toBe(0)
      expect(stderr).toContain(word)
    }
  })

  test('has a line of the schema for every value', () => {
    const values = parse(readFileSync(join(chart, 'values.yaml'), 'utf8')) as Values
    const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as Schema
    expect(unknownTo(schema, values)).toEqual([])
  })

  test('tells of the CRDs that it has, and shows each that a person writes', () => {
    const { annotations } = parse(
      readFileSync(join(chart, 'Chart.yaml'), 'utf8'),
    ) as Rendered['metadata']
    const told = parse(annotations!['artifacthub.io/crds']!) as { kind: string }[]
    expect(told.map(({ kind }) => kind)).toEqual(definitions.map(({ kind }) => kind))
    const shown = parse(annotations!['artifacthub.io/crdsExamples']!) as { kind: string }[]
    expect(shown.map(({ kind }) => kind)).toEqual(['LogCluster', 'LogTopic'])
  })
})

/** The LogCluster and the pod of `helm test`. */
function testObjects(text: string): Rendered[] {
  const hooks = objectsOf(text).filter(
    ({ metadata }) => metadata.annotations?.['helm.sh/hook'] === 'test',
  )
  return ['LogCluster', 'Pod'].map(kind => hooks.find(each => each.kind === kind)!)
}

/** What the API server would say to the names of an object, and to its labels. Roles may be called as they like. */
function complaints({ kind, metadata: { name, labels = {} } }: Rendered): string[] {
  const isName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)
  const isFree = kind.startsWith('ClusterRole')
  const wrong = Object.entries(labels).filter(
    ([, value]) => value.length > 63 || !/^([A-Za-z0-9]([-\w.]*[A-Za-z0-9])?)?$/.test(value),
  )
  return [
    ...(isFree || (isName && name.length <= 63) ? [] : [`${kind} ${name}`]),
    ...wrong.map(([label, value]) => `${kind} ${name}: ${label} is ${value}`),
  ]
}

/** The chart with other fields in its Chart.yaml. */
async function temporaryChart(fields: Readonly<Record<string, string>>) {
  const path = await mkdtemp(join(tmpdir(), 'chart-'))
  await cp(chart, path, { recursive: true })
  const file = join(path, 'Chart.yaml')
  const known = parse(await readFile(file, 'utf8')) as object
  await writeFile(file, JSON.stringify({ ...known, ...fields }))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

function isCrd({ kind }: Rendered): boolean {
  return kind === 'CustomResourceDefinition'
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(join(chart, folder))
  } catch {
    return []
  }
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
}

/** Paths of values that the schema has no line for. */
function unknownTo(schema: Schema, values: Values, path = ''): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const child = schema.properties?.[name]
    if (child === undefined) return [`${path}${name}`]
    const isFree = child.properties === undefined
    return isFree ? [] : unknownTo(child, value as Values, `${path}${name}.`)
  })
}
