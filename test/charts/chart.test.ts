import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
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
