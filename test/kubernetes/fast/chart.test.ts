import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { eventually } from '../../helpers/eventually.ts'
import { run, type RunResult } from '../../helpers/run.ts'
import { startControlPlane } from '../cluster.ts'
import type { ControlPlane } from '../control-plane/control-plane.ts'
import { helmProgram, type HelmMajor } from '../programs/fetched.ts'

const root = join(import.meta.dirname, '../../..')
const chart = join(root, 'charts/logcluster')
const any = { anyStatus: true } as const

/**
 * The life of a release, on an API server of its own: CRDs belong to all of a cluster. No operator runs here; what it
 * would have made of a LogCluster is stood for by the LogCluster itself and a StatefulSet beside it.
 */
describe.each([3, 4] as const)('the chart, by Helm %i,', major => {
  let plane: Awaited<ReturnType<typeof startControlPlane>>
  let helm: Helm

  beforeAll(async () => {
    plane = await startControlPlane({ controllers })
    helm = new Helm(plane, major)
  })

  afterAll(async () => {
    await plane[Symbol.asyncDispose]()
    helm.forget()
  })

  test('installs, and its examples are taken', async () => {
    await helm.run('install', 'one', helm.chartOfYesterday(), '-n', 'one', '--create-namespace')
    await plane.kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...crds])
    await plane.kubectl(['create', 'namespace', 'streaming'])
    for (const name of ['minimal', 'topic']) {
      const file = join(root, 'examples', `${name}.yaml`)
      await plane.kubectl(['apply', '-n', 'streaming', '-f', file])
    }
    const set = JSON.stringify(statefulSet)
    await plane.kubectl(['apply', '-n', 'streaming', '-f', '-'], { input: set })
    expect(await helm.objects('deployment', 'one')).toEqual(['deployment.apps/one-logcluster'])
  })

  test('upgrades, and its CRDs with it', async () => {
    const before = await identities(plane)
    expect(await columns(plane)).not.toContain('Ready')
    await helm.run('upgrade', 'one', chart, '-n', 'one', '--set', 'replicas=2')
    expect(await columns(plane)).toContain('Ready')
    expect(await identities(plane)).toEqual(before)
  })

  test('gives the operator what it needs, and nothing that it could do harm with', async () => {
    const may = permissionsOf(plane, 'system:serviceaccount:one:one-logcluster')
    expect(await may('create', 'statefulsets.apps', 'streaming')).toBe(true)
    expect(await may('patch', 'logclusters.logcluster.dev', 'streaming', 'status')).toBe(true)
    expect(await may('get', 'nodes')).toBe(true)
    expect(await may('watch', 'nodes')).toBe(true)
    expect(await may('update', 'leases.coordination.k8s.io/logcluster-operator', 'one')).toBe(true)
    expect(await may('list', 'secrets', 'streaming')).toBe(false)
    expect(await may('delete', 'logclusters.logcluster.dev', 'streaming')).toBe(false)
    expect(await may('delete', 'persistentvolumes')).toBe(false)
    expect(await may('list', 'nodes')).toBe(false)
    expect(await may('create', 'pods', 'streaming', 'exec')).toBe(false)
    expect(await may('escalate', 'roles.rbac.authorization.k8s.io', 'streaming')).toBe(false)
  })

  test('lets it give brokers their role, and no more than it has itself', async () => {
    const as = ['--as', 'system:serviceaccount:one:one-logcluster']
    const create = (role: object): Promise<RunResult> =>
      plane.kubectl(['create', '-n', 'streaming', '-f', '-', ...as], {
        input: JSON.stringify(role),
        anyStatus: true,
      })
    expect((await create(roleOf('orders-broker', 'configmaps', ['get', 'update']))).status).toBe(0)
    const refused = await create(roleOf('too-much', 'secrets', ['list']))
    expect(refused.status).not.toBe(0)
    expect(refused.stderr).toContain('attempting to grant RBAC permissions not currently held')
  })

  test('lets who may edit a namespace have clusters and topics, and who may view it see them', async () => {
    const users = [
      ['editor', 'edit'],
      ['viewer', 'view'],
    ] as const
    for (const [user, role] of users) {
      const binding = ['create', 'rolebinding', user, '-n', 'streaming']
      await plane.kubectl([...binding, '--clusterrole', role, '--user', user])
    }
    const editor = permissionsOf(plane, 'editor')
    const viewer = permissionsOf(plane, 'viewer')
    // The controller that aggregates roles is a moment behind.
    await eventually('the right of an editor', () =>
      editor('create', 'logtopics.logcluster.dev', 'streaming'),
    )
    await eventually('the right of a viewer', () =>
      viewer('list', 'logclusters.logcluster.dev', 'streaming'),
    )
    expect(await editor('patch', 'logbrokers.logcluster.dev', 'streaming')).toBe(true)
    expect(await editor('create', 'logbrokers.logcluster.dev', 'streaming')).toBe(false)
    expect(await viewer('create', 'logtopics.logcluster.dev', 'streaming')).toBe(false)
  })

  test('goes, and leaves clusters and their brokers as they are', async () => {
    const before = await identities(plane)
    await helm.run('uninstall', 'one', '-n', 'one', '--wait')
    expect(await helm.objects('deployment,serviceaccount,role', 'one')).toEqual([
      'serviceaccount/default',
    ])
    expect(await identities(plane)).toEqual(before)
  })

  test('comes back under another name: the CRDs are taken over, and nothing restarts', async () => {
    const before = await identities(plane)
    const install = ['install', 'other', chart, '-n', 'other', '--create-namespace']
    const refused = await helm.run(...install, any)
    expect(refused.status).not.toBe(0)
    expect(refused.stderr).toMatch(/ownership|conflict/)
    await helm.run(...install, '--take-ownership')
    expect(await identities(plane)).toEqual(before)
    expect(await helm.objects('deployment', 'other')).toEqual(['deployment.apps/other-logcluster'])
  })

  test('serves some namespaces only, with no role beyond them', async () => {
    const namespaces = ['--set', 'watchNamespaces={streaming}', '--set', 'rbac.clusterScoped=false']
    await helm.run('upgrade', 'other', chart, '-n', 'other', ...namespaces)
    const may = permissionsOf(plane, 'system:serviceaccount:other:other-logcluster')
    expect(await may('create', 'statefulsets.apps', 'streaming')).toBe(true)
    expect(await may('create', 'statefulsets.apps', 'default')).toBe(false)
    expect(await may('get', 'nodes')).toBe(false)
  })

  test('takes the CRDs with it where crds.keep is false', { timeout: 2 * crdsMsMax }, async () => {
    await helm.run('upgrade', 'other', chart, '-n', 'other', '--set', 'crds.keep=false')
    await helm.run('uninstall', 'other', '-n', 'other')
    const left = ['get', ...crds, '--ignore-not-found', '-o', 'name']
    await eventually(
      'no CRD',
      async () => (await plane.kubectl(left)).stdout,
      names => names === '',
      crdsMsMax,
    )
  })
})

/** An API server that did not come to an end with the objects of a CRD tries again after a pause, and then after a longer one. */
const crdsMsMax = 180_000

/** What a release makes needs these, and what aggregates ClusterRoles. */
const controllers = [
  'clusterrole-aggregation-controller',
  'deployment-controller',
  'garbage-collector-controller',
  'namespace-controller',
  'replicaset-controller',
  'root-ca-certificate-publisher-controller',
  'serviceaccount-controller',
  'statefulset-controller',
]
const crds = ['logclusters', 'logtopics', 'logbrokers'].map(name => `crd/${name}.logcluster.dev`)

/** Helm of one version on one API server. */
class Helm {
  readonly #plane: ControlPlane
  readonly #major: HelmMajor
  readonly #folder = mkdtempSync(join(tmpdir(), 'logcluster-helm-'))

  constructor(plane: ControlPlane, major: HelmMajor) {
    this.#plane = plane
    this.#major = major
  }

  run(...words: readonly (string | typeof any)[]): Promise<RunResult> {
    const args = words.filter(word => typeof word === 'string')
    return run(helmProgram(this.#major), args, {
      env: { KUBECONFIG: this.#plane.kubeconfig, HELM_CACHE_HOME: this.#folder },
      anyStatus: words.includes(any),
    })
  }

  /** The chart as if its CRDs had been written before they had a column that they have now. */
  chartOfYesterday(): string {
    const folder = join(this.#folder, 'logcluster')
    cpSync(chart, folder, { recursive: true })
    const file = join(folder, 'files/crds/logclusters.yaml')
    const crd = parse(readFileSync(file, 'utf8')) as {
      spec: { versions: { additionalPrinterColumns: { name: string }[] }[] }
    }
    const [version] = crd.spec.versions
    version!.additionalPrinterColumns = version!.additionalPrinterColumns.filter(
      ({ name }) => name !== 'Ready',
    )
    writeFileSync(file, stringify(crd))
    return folder
  }

  async objects(kinds: string, namespace: string): Promise<string[]> {
    const { stdout } = await this.#plane.kubectl(['get', kinds, '-n', namespace, '-o', 'name'])
    return stdout.trim().split('\n')
  }

  forget(): void {
    rmSync(this.#folder, { recursive: true })
  }
}

/** By what one sees that nothing was made anew or written: uid and generation of each CRD, cluster, topic and set. */
async function identities(plane: ControlPlane): Promise<string[]> {
  const format =
    '{range .items[*]}{.kind}/{.metadata.name} {.metadata.uid} {.spec.versions[0].name}{"\\n"}{end}'
  const ofCrds = await plane.kubectl(['get', ...crds, '-o', `jsonpath=${format}`])
  const written = format.replace('.spec.versions[0].name', '.metadata.generation')
  const kinds = 'logclusters,logtopics,statefulsets'
  const others = await plane.kubectl(['get', kinds, '-n', 'streaming', '-o', `jsonpath=${written}`])
  return `${ofCrds.stdout}${others.stdout}`.trim().split('\n')
}

async function columns(plane: ControlPlane): Promise<string> {
  const names = 'jsonpath={.spec.versions[0].additionalPrinterColumns[*].name}'
  const { stdout } = await plane.kubectl(['get', crds[0]!, '-o', names])
  return stdout
}

type Permissions = (
  verb: string,
  resource: string,
  namespace?: string,
  subresource?: string,
) => Promise<boolean>

/** What a user may, as the API server's own authorizer says. */
function permissionsOf(plane: ControlPlane, user: string): Permissions {
  return async (verb, resource, namespace, subresource = '') => {
    const where = namespace === undefined ? [] : ['-n', namespace]
    const args = ['auth', 'can-i', verb, resource, `--subresource=${subresource}`, '--as', user]
    args.push(...where)
    const { stdout } = await plane.kubectl(args, any)
    return stdout.trim() === 'yes'
  }
}

function roleOf(name: string, resource: string, verbs: readonly string[]): object {
  const rule = { apiGroups: [''], resources: [resource], resourceNames: ['orders-md-00'], verbs }
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name },
    rules: [rule],
  }
}

const labels = { 'logcluster.dev/cluster': 'orders' }
const statefulSet = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'orders-main-0', labels },
  spec: {
    serviceName: 'orders-brokers',
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { containers: [{ name: 'broker', image: 'localhost/logcluster:0.1.0' }] },
    },
  },
}
