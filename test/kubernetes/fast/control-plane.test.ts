import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { eventually } from '../../helpers/eventually.ts'
import { startControlPlane } from '../cluster.ts'
import { clusterNames, folderOf } from '../cluster-folder.ts'
import { processesOf } from '../processes.ts'
import { kubernetesVersion } from '../programs/built.ts'
import { kubectlProgram } from '../programs/fetched.ts'
import { sharedControlPlane } from './shared.ts'

/** What `kubectl get KIND -o name` lists in a namespace, or of the cluster. */
async function names(args: readonly string[]): Promise<string[]> {
  const { stdout } = await sharedControlPlane().kubectl(['get', ...args, '-o', 'name'])
  return stdout.trim().split('\n')
}

describe('the shared control plane', () => {
  test('tells a version that kubectl and Helm understand', async () => {
    const plane = sharedControlPlane()
    const { stdout } = await plane.kubectl(['version', '-o', 'json'])
    const version = JSON.parse(stdout) as { serverVersion: { gitVersion: string } }
    expect(version.serverVersion.gitVersion).toBe(`v${kubernetesVersion()}`)
    for (const major of [3, 4] as const) {
      const listed = await plane.helm(['list', '-A', '-o', 'json'], major)
      expect(JSON.parse(listed.stdout)).toEqual([])
    }
  })

  test('has controllers that make what follows from a namespace and a StatefulSet', async () => {
    const plane = sharedControlPlane()
    await plane.kubectl(['create', 'namespace', 'controllers'])
    await eventually(
      'the ServiceAccount of the namespace',
      () => names(['serviceaccounts', '-n', 'controllers']),
      found => found.includes('serviceaccount/default'),
    )
    await plane.apply([statefulSet('web')], 'controllers')
    await eventually(
      'a pod that finds no node',
      () => plane.kubectl(['get', 'pod', 'web-0', '-n', 'controllers', '-o', 'json'], any),
      ({ stdout }) => stdout.includes('Unschedulable'),
    )
  })

  test('writes down who asked what, and how it ended', async () => {
    const plane = sharedControlPlane()
    const mark = plane.audit.mark()
    await plane.kubectl(['create', 'namespace', 'audited'])
    await plane.kubectl(['create', 'serviceaccount', 'nobody', '-n', 'audited'])
    const { kubeconfig } = await plane.serviceAccount('audited', 'nobody')
    await plane.kubectl(['get', 'nodes', '--kubeconfig', kubeconfig], any)
    const asked = plane.audit
      .since(mark)
      .filter(({ user }) => user.username === 'system:serviceaccount:audited:nobody')
      .filter(({ objectRef }) => objectRef?.resource === 'nodes')
    expect(asked.map(({ verb, responseStatus }) => [verb, responseStatus?.code])).toEqual([
      ['list', 403],
    ])
  })

  test('gives a certificate to whoever one wants to be', async () => {
    const plane = sharedControlPlane()
    const kubeconfig = plane.kubeconfigOf('/O=auditors/CN=anna')
    const asked = ['auth', 'whoami', '-o', 'json', '--kubeconfig', kubeconfig]
    const { stdout } = await plane.kubectl(asked)
    const { status } = JSON.parse(stdout) as { status: { userInfo: unknown } }
    expect(status.userInfo).toMatchObject({ username: 'anna' })
    expect(stdout).toContain('auditors')
  })
})

describe('a link to the API server', () => {
  test('breaks what goes through it, refuses, and lets through again', async () => {
    const plane = sharedControlPlane()
    const { link, kubeconfig } = await plane.openLink()
    await using _ = link
    const config = ['--kubeconfig', kubeconfig]
    const asked = ['get', '--raw', '/api/v1/namespaces?watch=true', ...config]
    const watch = spawn(kubectlProgram(), asked, { stdio: ['ignore', 'pipe', 'ignore'] })
    const ended = once(watch, 'exit')
    await once(watch.stdout, 'data')
    expect(link.cut()).toBe(1)
    expect(await ended).toEqual([1, null])
    link.refuse()
    const refused = connect(Number(new URL(link.url).port), '127.0.0.1')
    expect(await once(refused, 'error')).toEqual([expect.objectContaining({ code: 'ECONNRESET' })])
    link.restore()
    await plane.kubectl(['get', 'namespaces', ...config])
  })

  test('falls silent and nobody is told, until it is restored', async () => {
    const plane = sharedControlPlane()
    const { link, kubeconfig } = await plane.openLink()
    await using _ = link
    link.silence()
    const asked = plane.kubectl(['get', 'namespaces', '--kubeconfig', kubeconfig])
    await eventually('a connection that hangs', () => link.connections > 0)
    link.restore()
    await asked
  })
})

describe('a control plane of its own', () => {
  test('loses what came after the snapshot that etcd is restored from, and is the same after a restart', async () => {
    await using plane = await startControlPlane()
    await plane.kubectl(['create', 'namespace', 'early'])
    const snapshot = await plane.snapshotEtcd()
    await plane.kubectl(['create', 'namespace', 'late'])
    await plane.restoreEtcd(snapshot)
    const restored = (await plane.kubectl(['get', 'namespaces', '-o', 'name'])).stdout
    expect(restored).toContain('namespace/early')
    expect(restored).not.toContain('namespace/late')
    await plane.apiServer.stop()
    expect((await plane.kubectl(['get', 'namespaces'], any)).status).not.toBe(0)
    await plane.apiServer.start()
    expect((await plane.kubectl(['get', 'namespaces', '-o', 'name'])).stdout).toBe(restored)
  })

  test('leaves nothing behind', async () => {
    const name = `left-${process.pid}`
    const plane = await startControlPlane({ name })
    expect(processesOf(plane.folder).length).toBeGreaterThanOrEqual(2)
    await plane[Symbol.asyncDispose]()
    expect(clusterNames()).not.toContain(name)
    expect(processesOf(folderOf(name))).toEqual([])
  })
})

const any = { anyStatus: true } as const

function statefulSet(name: string): object {
  const labels = { app: name }
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name },
    spec: {
      serviceName: name,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'main', image: 'localhost/none' }] },
      },
    },
  }
}
