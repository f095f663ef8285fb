import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { encodeBatch } from '../../../src/broker/log/batch/batch.ts'
import { BrokerClient } from '../../helpers/broker-client.ts'
import { eventually } from '../../helpers/eventually.ts'
import { run, type RunResult } from '../../helpers/run.ts'
import { freePort } from '../control-plane/ports.ts'
import { productArchive } from '../node/product-image.ts'
import { helmProgram, kubectlProgram, type HelmMajor } from '../programs/fetched.ts'
import { type TruthChecker, truthful } from '../truth-checker.ts'
import { Orders } from './orders.ts'
import { describeOnNodes, sharedCluster } from './shared.ts'
import { openTunnel } from './tunnel.ts'

const root = join(import.meta.dirname, '../../..')
const chart = join(root, 'charts/logcluster')
const plugin = join(root, 'src/cli/kubectl/main.ts')
const namespace = 'five-minutes'
const storageClass = 'local-nvme'
/** Of the operator, and of the brokers. */
const accounts = [
  'system:serviceaccount:logcluster-system:logcluster',
  `system:serviceaccount:${namespace}:orders-broker`,
]
const imageBytesMax = 350e6
const idleBytesMax = 110 * 2 ** 20

/** docs/kubernetes.md, as somebody types it: chart, example, `helm test`, plugin, and the chart gone again. */
describeOnNodes('the five minutes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'logcluster-five-minutes-'))
  /** What stands in the audit log before it is of other files. */
  let others = 0

  // Nothing of what follows makes sense before this is so.
  beforeAll(async () => {
    const where = ['-n', 'logcluster-system', '--create-namespace']
    // Of a file that ran before.
    await helm('uninstall', 'logcluster', ...where.slice(0, 2), '--ignore-not-found', '--wait')
    others = sharedCluster().plane.audit.mark()
    await sharedCluster().plane.restrictedNamespace('logcluster-system')
    const values = ['--set', `test.storageClassName=${storageClass}`]
    await helm('install', 'logcluster', chart, ...where, ...values, '--wait')
    await sharedCluster().plane.restrictedNamespace(namespace)
    await sharedCluster().plane.kubectl(['apply', '-n', namespace, '-f', '-'], {
      input: minimal(),
    })
    await waitFor('condition=Ready', 'logcluster/orders')
  })

  afterAll(async () => {
    for (const release of ['logcluster', 'again-logcluster']) {
      await helm('uninstall', release, '-n', 'logcluster-system', '--ignore-not-found')
    }
    await kubectl('delete', 'namespace', namespace, 'logcluster-system', '--ignore-not-found')
    rmSync(folder, { recursive: true })
  })

  test('begin with an image that takes less than 350 MB unpacked, and has no shell', async () => {
    // The blobs that are no layers are JSON, of which tar makes nothing.
    const listing = `for blob in $(tar -tf "$0" | grep blobs/sha256/.); do
      tar -xOf "$0" $blob | gzip -dcf | tar -tvf - 2>/dev/null || true
    done`
    const { stdout } = await run('sh', ['-c', listing, productArchive()])
    const files = stdout
      .trim()
      .split('\n')
      .map(line => line.split(/\s+/))
    expect(files.length).toBeGreaterThan(1000)
    const bytes = files.reduce((sum, [, , size]) => sum + Number(size), 0)
    console.log(`the image has ${files.length} files of ${(bytes / 1e6).toFixed(0)} MB together`)
    expect(bytes).toBeLessThan(imageBytesMax)
    const names = files.map(([, , , , , name]) => name!)
    expect(names.filter(name => /(^|\/)(sh|bash|apt|npm)$|\.d\.ts$|\.map$/.test(name))).toEqual([])
    expect(names.filter(name => /node_modules\/(vitest|typescript|kafkajs)\//.test(name))).toEqual(
      [],
    )
  })

  test('bring a broker that serves', async () => {
    expect((await tried()).stdout).toMatch(/: 100 records produced in /)
  })

  test('reach the broker from this machine by `kubectl port-forward`, which it tells to come that way again', async () => {
    const port = await freePort('127.0.0.1')
    const to = 'service/orders-bootstrap'
    using _ = await openTunnel({ namespace, to, ports: [port, 9092] })
    using client = await BrokerClient.connect(port, { timeoutMs: 30_000 })
    const { brokers } = await client.metadata()
    expect(brokers).toMatchObject([{ host: 'localhost', port: 9092 }])
    await client.createTopics([{ name: 'tunnelled' }])
    const records = encodeBatch({ records: [{ value: 'an order' }] })
    const produced = await client.produce({ topic: 'tunnelled', partition: 0 }, records)
    expect(produced.errorCode).toBe(0)
  })

  test('are told true by `kubectl get`', async () => {
    const { stdout } = await kubectl('get', 'lc', '-n', namespace)
    expect(stdout.split('\n')[0]).toMatch(/^NAME +READY +BROKERS +VERSION +STATUS +AGE/)
    expect(stdout.split('\n')[1]).toMatch(/^orders +True +1\/1 +0\.1\.0 +Running /)
  })

  test('leave a broker that takes less than 110 MiB while it idles', async () => {
    const bytes = await eventually('an idle broker', workingSetBytes, seen => seen < idleBytesMax)
    console.log(`the container of an idle broker takes ${(bytes / 2 ** 20).toFixed(1)} MiB`)
  })

  describe('beside clients that go on', () => {
    let truth: TruthChecker

    beforeAll(async () => {
      truth = new Orders(namespace).truth()
      await eventually('records that came back', () => truth.succeeded.fetch >= 10)
    })

    afterAll(async () => truthful(await truth.stop(), { longestWaitMsMax: 60_000 }))

    test('pass `helm test`, which leaves nothing behind', async () => {
      await helm('test', 'logcluster', '-n', 'logcluster-system', '--timeout', '90s')
      const left = ['get', 'logclusters,pods', '-n', 'logcluster-system', '-o', 'name']
      await eventually(
        'the end of what the test made',
        async () => (await kubectl(...left)).stdout,
        names => !names.includes('-test'),
      )
    })

    test('show their state by the plugin', async () => {
      const { stdout } = await logcluster('status', 'orders')
      expect(stdout).toMatch(/^five-minutes +orders +True +1\/1 /m)
      expect(stdout).toMatch(/^orders-main-0 +0 +True +\S+ +0\.1\.0 /m)
      expect(stdout).not.toContain('does not answer')
    })

    test('can be reported, without a Secret', async () => {
      const output = join(folder, 'report')
      await logcluster('report', 'orders', `--output=${output}`)
      const pod = join(output, 'orders-main-0-0')
      expect(readFileSync(join(pod, 'metrics.txt'), 'utf8')).toContain('logcluster_build_info')
      expect(readFileSync(join(pod, 'log.txt'), 'utf8')).toContain('Broker ready')
      const [password] = await passwords()
      const { stdout } = await run('grep', ['-rl', password!, output], { anyStatus: true })
      expect(stdout).toBe('')
      expect(existsSync(join(output, 'errors.txt'))).toBe(false)
    })

    test('restart their broker when that is asked for, once', async () => {
      const before = await podUid()
      await logcluster('restart', 'orders')
      await eventually('another pod', podUid, uid => uid !== '' && uid !== before)
      await waitFor('condition=Stable', 'logcluster/orders')
      expect((await tried()).stdout).toMatch(/: 100 records produced in /)
    })

    test('ask for nothing that the chart does not permit', () => {
      const refused = sharedCluster()
        .plane.audit.since(others)
        .filter(({ user }) => accounts.includes(user.username))
        .filter(({ responseStatus }) => responseStatus?.code === 403)
      expect(
        refused.map(({ user, verb, requestURI }) => [user.username, verb, requestURI]),
      ).toEqual([])
    })

    test('end with the chart, and the broker serves on', async () => {
      const before = await podUid()
      await helm('uninstall', 'logcluster', '-n', 'logcluster-system', '--wait')
      expect((await tried()).stdout).toMatch(/: 100 records produced in /)
      expect(await podUid()).toBe(before)
    })

    test('go on under another release, by the other Helm, and nothing restarts', async () => {
      const before = await podUid()
      const where = ['-n', 'logcluster-system', '--take-ownership', '--wait']
      await helmOf(3, 'install', 'again-logcluster', chart, ...where)
      // A change that restarts nobody: once it was looked at, the new operator is at work.
      const change = JSON.stringify({ spec: { metrics: { monitor: { interval: '20s' } } } })
      await kubectl('patch', 'lc', 'orders', '-n', namespace, '--type=merge', '-p', change)
      await eventually('the new operator at work', isGenerationSeen)
      await waitFor('condition=Stable', 'logcluster/orders')
      expect(await podUid()).toBe(before)
    })
  })
})

async function isGenerationSeen(): Promise<boolean> {
  const { stdout } = await kubectl('get', 'lc', 'orders', '-n', namespace, '-o', 'json')
  const { metadata, status } = JSON.parse(stdout) as {
    metadata: { generation: number }
    status: { observedGeneration?: number }
  }
  return status.observedGeneration === metadata.generation
}

/** examples/minimal.yaml, on the only class of these nodes: none is the default. */
function minimal(): string {
  const text = readFileSync(join(root, 'examples/minimal.yaml'), 'utf8')
  const object = parse(text) as { spec: { pools: { storage: { volumes: object[] } }[] } }
  const [pool] = object.spec.pools
  const volumes = pool!.storage.volumes.map(each => ({ ...each, storageClassName: storageClass }))
  pool!.storage.volumes = volumes
  return stringify(object)
}

function kubectl(...args: string[]): Promise<RunResult> {
  return sharedCluster().plane.kubectl(args)
}

function helm(...args: string[]): Promise<RunResult> {
  return helmOf(4, ...args)
}

function helmOf(major: HelmMajor, ...args: string[]): Promise<RunResult> {
  const { kubeconfig } = sharedCluster().plane
  return run(helmProgram(major), args, { env: { KUBECONFIG: kubeconfig }, timeoutMs: 300_000 })
}

/** As `kubectl logcluster` runs it. */
function logcluster(...args: string[]): Promise<RunResult> {
  const { kubeconfig } = sharedCluster().plane
  const all = [plugin, ...args, '-n', namespace, '--kubeconfig', kubeconfig]
  return run(process.execPath, all, { env: { KUBECTL: kubectlProgram() } })
}

/** A client in the cluster: the image has one, so the broker's own pod will do. */
function tried(): Promise<RunResult> {
  const words = ['logcluster', 'try', 'orders-bootstrap:9092', '--wait=30']
  return kubectl('exec', '-n', namespace, 'orders-main-0-0', '--', ...words)
}

function waitFor(what: string, object: string): Promise<RunResult> {
  return sharedCluster().plane.kubectl(
    ['wait', '-n', namespace, `--for=${what}`, object, '--timeout=90s'],
    { timeoutMs: 100_000 },
  )
}

async function podUid(): Promise<string> {
  const asked = ['get', 'pod', 'orders-main-0-0', '-n', namespace, '--ignore-not-found']
  return (await kubectl(...asked, '-o', 'jsonpath={.metadata.uid}')).stdout
}

async function passwords(): Promise<string[]> {
  const { stdout } = await kubectl('get', 'secret', 'orders-private', '-n', namespace, '-o', 'json')
  const { data } = JSON.parse(stdout) as { data: Record<string, string> }
  return Object.values(data).map(value => Buffer.from(value, 'base64').toString())
}

interface Summary {
  readonly pods: readonly {
    readonly podRef: { readonly name: string; readonly namespace: string }
    readonly containers: readonly { readonly memory?: { readonly workingSetBytes?: number } }[]
  }[]
}

/** What kubelet counts against the broker's container: its memory without page cache that nobody used lately. */
async function workingSetBytes(): Promise<number> {
  const asked = ['get', 'pod', 'orders-main-0-0', '-n', namespace, '-o']
  const node = (await kubectl(...asked, 'jsonpath={.spec.nodeName}')).stdout
  const raw = await kubectl('get', '--raw', `/api/v1/nodes/${node}/proxy/stats/summary`)
  const { pods } = JSON.parse(raw.stdout) as Summary
  const ours = pods.find(
    ({ podRef }) => podRef.namespace === namespace && podRef.name === 'orders-main-0-0',
  )
  return ours?.containers[0]?.memory?.workingSetBytes ?? Infinity
}
