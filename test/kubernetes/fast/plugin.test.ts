import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunResult } from '../../helpers/run.ts'
import { runPlugin } from '../plugin.ts'
import { sharedControlPlane } from './shared.ts'
import { installCrds } from '../crds.ts'

const namespace = 'plugin'
const secret = 'correct horse battery staple'

/** `kubectl logcluster` as a person runs it, on objects as an operator leaves them; there is no broker that could answer. */
describe('the plugin of kubectl', () => {
  beforeAll(async () => {
    await installCrds(sharedControlPlane())
    await kubectl('create', 'namespace', namespace)
    for (const object of [cluster, broker, pod, privateSecret]) await create(object)
    await setStatus('logcluster', 'orders', {
      version: '0.1.0',
      columns: { brokers: '0/1', status: 'Starting' },
      conditions: [condition('Ready', 'False', 'Starting', 'The pod is being started.')],
    })
    await setStatus('logbroker', 'orders-main-0', { incarnation: 3, conditions: [] })
  })

  test('shows what there is, and that the broker does not answer', async () => {
    const { stdout } = await logcluster('status', 'orders')
    expect(stdout).toMatch(/^plugin +orders +False +0\/1 +0\.1\.0 +Starting /m)
    expect(stdout).toContain('orders: Ready=False Starting: The pod is being started.')
    expect(stdout).toContain('orders-main-0 does not answer: ')
  })

  test('asks for a restart in the specs of cluster and broker', async () => {
    await logcluster('restart', 'orders')
    expect(await field('logcluster/orders', '.spec.restartedAt')).toMatch(/^2\d{3}-.*Z$/)
    await logcluster('restart', 'orders', '--broker=orders-main-0')
    expect(await field('logbroker/orders-main-0', '.spec.restartedAt')).toMatch(/^2\d{3}-.*Z$/)
  })

  test('asks for another disk, and accepts the loss only by the name', async () => {
    const replace = '{.spec.replace.incarnation} {.spec.replace.dataLoss}'
    await logcluster('replace', 'orders-main-0')
    expect(await field('logbroker/orders-main-0', replace)).toBe('3 Refuse')
    const wrong = await logcluster('replace', 'orders-main-0', '--accept-data-loss=yes')
    expect(wrong.status).toBe(64)
    expect(await field('logbroker/orders-main-0', replace)).toBe('3 Refuse')
    await logcluster('replace', 'orders-main-0', '--accept-data-loss=orders-main-0')
    expect(await field('logbroker/orders-main-0', replace)).toBe('3 Accept')
  })

  test('writes a report that has no secret in it, and reads none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'logcluster-report-'))
    const mark = sharedControlPlane().audit.mark()
    await logcluster('report', 'orders', `--output=${folder}`)
    const names = readdirSync(folder)
    expect(names).toEqual(
      expect.arrayContaining(['logcluster.json', 'logbrokers.json', 'pods.json', 'events.txt']),
    )
    const texts = names.filter(name => /\./.test(name)).map(name => read(folder, name))
    expect(texts.join('')).toContain('PASSWORD')
    expect(texts.join('')).not.toContain(secret)
    expect(texts.join('')).not.toContain(Buffer.from(secret).toString('base64'))
    const ofPlugin = sharedControlPlane()
      .audit.since(mark)
      .filter(({ user }) => user.username === 'admin')
    expect(ofPlugin.length).toBeGreaterThan(10)
    expect(ofPlugin.filter(({ objectRef }) => objectRef?.resource === 'secrets')).toEqual([])
    expect(ofPlugin.filter(({ verb }) => !['get', 'list'].includes(verb))).toEqual([])
    rmSync(folder, { recursive: true })
  })

  test('says what kubectl says where something is not there', async () => {
    const { status, stderr } = await logcluster('status', 'payments')
    expect(status).toBe(1)
    expect(stderr).toContain('"payments" not found')
  })
})

const labels = { 'logcluster.dev/cluster': 'orders', 'logcluster.dev/broker': 'orders-main-0' }
const env = [{ name: 'PASSWORD', value: secret }]
const apiVersion = 'logcluster.dev/v1beta1'
const cluster = {
  apiVersion,
  kind: 'LogCluster',
  metadata: { name: 'orders' },
  spec: {
    pools: [
      {
        name: 'main',
        storage: { volumes: [{ name: 'data', size: '1Gi' }] },
        template: { pod: { spec: { env } } },
      },
    ],
  },
}
const broker = {
  apiVersion,
  kind: 'LogBroker',
  metadata: { name: 'orders-main-0', labels },
  spec: { clusterRef: { name: 'orders' }, pool: 'main', slot: 0, brokerId: 0 },
}
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'orders-main-0-0', labels },
  spec: { containers: [{ name: 'broker', image: 'localhost/logcluster:0.1.0', env }] },
}
const privateSecret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'orders-private', labels },
  stringData: { operator: secret },
}

function condition(type: string, status: string, reason: string, message: string): object {
  return { type, status, reason, message, lastTransitionTime: '2026-11-25T17:00:05Z' }
}

function kubectl(...args: string[]): Promise<RunResult> {
  return sharedControlPlane().kubectl(args)
}

function create(object: object): Promise<RunResult> {
  const input = JSON.stringify(object)
  return sharedControlPlane().kubectl(['apply', '-n', namespace, '-f', '-'], { input })
}

function setStatus(kind: string, name: string, status: object): Promise<RunResult> {
  const change = JSON.stringify({ status })
  const where = ['-n', namespace, '--subresource=status', '--type=merge']
  return kubectl('patch', kind, name, ...where, '--patch', change)
}

async function field(object: string, path: string): Promise<string> {
  const template = path.startsWith('{') ? path : `{${path}}`
  const { stdout } = await kubectl('get', object, '-n', namespace, '-o', `jsonpath=${template}`)
  return stdout
}

function read(folder: string, name: string): string {
  return readFileSync(join(folder, name), 'utf8')
}

function logcluster(...args: string[]): Promise<RunResult> {
  return runPlugin(sharedControlPlane(), namespace, args, { anyStatus: true })
}
