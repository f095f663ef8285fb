import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LogTopic } from '../../../../src/operator/crd/topic.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { startControlPlane } from '../../cluster.ts'
import { installCrds } from '../../crds.ts'

const root = join(import.meta.dirname, '../../../..')
let plane: Awaited<ReturnType<typeof startControlPlane>>

beforeAll(async () => {
  plane = await startControlPlane()
  await installCrds(plane)
})

afterAll(() => plane?.[Symbol.asyncDispose]())

/** `logcluster operator` as a process. */
async function operator(kubeconfig: string, args: readonly string[] = []) {
  const all = ['--kubeconfig', kubeconfig, '--http-address', '127.0.0.1:0', ...args]
  const child = spawn(process.execPath, [join(root, 'src/cli/main.ts'), 'operator', ...all], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, KUBERNETES_SERVICE_HOST: undefined },
  })
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', line => lines.push(line))
  const said = (message: string): Promise<string> =>
    eventually(message, () => lines.find(line => line.includes(`"msg":"${message}"`)) ?? '')
  const { http } = JSON.parse(await said('Starts')) as { http: string }
  return {
    said,
    lines,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    probe: async (path: string): Promise<number> => (await fetch(`http://${http}${path}`)).status,
    metrics: async (): Promise<string> => (await fetch(`http://${http}/metrics`)).text(),
    async end(): Promise<number | null> {
      child.kill('SIGTERM')
      return await ended
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function topic(namespace: string, name: string): Promise<void> {
  const spec = { clusterRef: { name: 'none' } }
  const object = {
    apiVersion: 'logcluster.dev/v1beta1',
    kind: 'LogTopic',
    metadata: { name },
    spec,
  }
  await plane.kubectl(['-n', namespace, 'apply', '-f', '-'], { input: JSON.stringify(object) })
}

async function reasonOf(namespace: string, name: string): Promise<string | undefined> {
  const asked = ['-n', namespace, 'get', 'logtopic', name, '-o', 'json']
  const { status } = JSON.parse((await plane.kubectl(asked)).stdout) as LogTopic
  return status.conditions?.find(({ type }) => type === 'Ready')?.reason
}

describe('the operator', () => {
  test('waits for an API server that is not there, and goes on when it is', async () => {
    const { link, kubeconfig } = await plane.openLink()
    link.refuse()
    await using one = await operator(kubeconfig, ['--lease-name', 'waits'])
    await one.said('Cannot list or watch; tries again')
    await one.said('Could not read or renew the Lease')
    expect([await one.probe('/healthz'), await one.probe('/readyz')]).toEqual([200, 503])
    link.restore()
    await one.said('Leads')
    expect(await one.probe('/readyz')).toBe(200)
    await plane.kubectl(['create', 'namespace', 'waits'])
    await topic('waits', 'first')
    await eventually(
      'it is looked at',
      () => reasonOf('waits', 'first'),
      it => it === 'ClusterNotFound',
    )
    link.cut()
    await topic('waits', 'second')
    await eventually(
      'it is looked at',
      () => reasonOf('waits', 'second'),
      it => it === 'ClusterNotFound',
    )
    expect(await one.metrics()).toMatch(
      /^logcluster_operator_leader_election_master_status\{name="waits"\} 1$/m,
    )
    expect(await one.end()).toBe(0)
    await link.close()
  })

  test('ends when it has lost its Lease to an outage, since another may lead, and begins anew', async () => {
    const { link, kubeconfig } = await plane.openLink()
    const args = ['--lease-name', 'outage']
    await using one = await operator(kubeconfig, args)
    await one.said('Leads')
    link.refuse()
    await one.said('The operator ends')
    await using next = await operator(kubeconfig, args)
    await next.said('Cannot list or watch; tries again')
    expect([next.isRunning(), await next.probe('/healthz')]).toEqual([true, 200])
    link.restore()
    await next.said('Leads')
    expect(await next.end()).toBe(0)
    await link.close()
  })

  test('looks at its namespaces and needs no right beyond them', async () => {
    for (const name of ['mine', 'theirs']) await plane.kubectl(['create', 'namespace', name])
    const everything = ['--verb=*', '--resource=*.*']
    await plane.kubectl(['-n', 'mine', 'create', 'role', 'operator', ...everything])
    const bound = ['--role=operator', '--user=limited']
    await plane.kubectl(['-n', 'mine', 'create', 'rolebinding', 'operator', ...bound])
    const kubeconfig = plane.kubeconfigOf('/CN=limited')
    const args = ['--watch-namespaces', 'mine', '--lease-namespace', 'mine']
    await using one = await operator(kubeconfig, args)
    await one.said('Leads')
    await topic('theirs', 'foreign')
    await topic('mine', 'own')
    await eventually(
      'it is looked at',
      () => reasonOf('mine', 'own'),
      it => it === 'ClusterNotFound',
    )
    expect(await reasonOf('theirs', 'foreign')).toBe('Pending')
    const refused = plane.audit
      .since()
      .filter(
        ({ user, responseStatus }) => user.username === 'limited' && responseStatus?.code === 403,
      )
    expect(refused.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([])
  })
})

test('an argument that is none ends it with a sentence and the code of a bad configuration', async () => {
  const child = spawn(process.execPath, [join(root, 'src/cli/main.ts'), 'operator', '--no-such'])
  let said = ''
  child.stderr.on('data', chunk => (said += String(chunk)))
  const [code] = (await once(child, 'close')) as [number]
  expect(code).toBe(78)
  expect(said).toContain('--help lists what there is')
})
