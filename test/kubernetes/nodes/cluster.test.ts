import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { eventually } from '../../helpers/eventually.ts'
import { storageClass } from '../node/disk.ts'
import { nodeImage } from '../node/images.ts'
import { describeOnNodes, sharedCluster } from './shared.ts'

const namespace = 'the-cluster'

interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string }
  readonly spec: { readonly nodeName?: string }
  readonly status: {
    readonly podIP?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  }
}

async function kubectl(...args: readonly string[]): Promise<string> {
  return (await sharedCluster().plane.kubectl(['-n', namespace, ...args])).stdout
}

async function get<Of>(...args: readonly string[]): Promise<Of> {
  return JSON.parse(await kubectl('get', ...args, '-o', 'json')) as Of
}

async function pod(): Promise<Pod> {
  return (await get<{ items: [Pod] }>('pods')).items[0]
}

function isReady({ status }: Pod): boolean {
  return status.conditions?.some(each => each.type === 'Ready' && each.status === 'True') ?? false
}

const labels = { app: 'counter' }

/** Answers with how often it was asked since its disk was new. */
const counter = `const fs = require('node:fs')
require('node:http').createServer((request, response) => {
  fs.appendFileSync('/data/asked', 'x')
  response.end(String(fs.statSync('/data/asked').size))
}).listen(8080)`

function statefulSet(): object {
  const container = {
    name: 'main',
    image: nodeImage,
    imagePullPolicy: 'Never',
    args: ['-e', counter],
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
    readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
    securityContext: {
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    },
  }
  const claim = {
    metadata: { name: 'data' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: storageClass,
      resources: { requests: { storage: '1Gi' } },
    },
  }
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'counter' },
    spec: {
      serviceName: 'counter',
      selector: { matchLabels: labels },
      volumeClaimTemplates: [claim],
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 10001,
            fsGroup: 10001,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [container],
        },
      },
    },
  }
}

function service(name: string, spec: object): object {
  const ports = [{ port: 80, targetPort: 8080 }]
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: labels, ports, ...spec },
  }
}

async function answer(host: string): Promise<number> {
  return Number(await (await fetch(`http://${host}/`)).text())
}

describeOnNodes('a cluster of several nodes', () => {
  beforeAll(async () => {
    const { plane } = sharedCluster()
    await plane.kubectl(['create', 'namespace', namespace])
    const services = [
      service('counter', { clusterIP: 'None' }),
      service('counter-ip', {}),
      service('counter-port', { type: 'NodePort' }),
    ]
    await plane.apply([statefulSet(), ...services], namespace)
    await eventually('a ready pod', pod, found => found !== undefined && isReady(found))
  })

  test('binds a claim to a disk of the node that the pod is put on', async () => {
    const { nodeName } = (await pod()).spec
    const claim = await get<{ spec: { volumeName: string } }>('pvc', 'data-counter-0')
    const disks = sharedCluster().node(nodeName!).disks
    expect(disks.map(({ volume }) => volume)).toContain(claim.spec.volumeName)
  })

  test('is reached from the test: pod, Service and NodePort', async () => {
    const { podIP } = (await pod()).status
    const before = await answer(`${podIP}:8080`)
    type Service = { spec: { clusterIP: string; ports: [{ nodePort: number }] } }
    const { spec } = await get<Service>('service', 'counter-ip')
    expect(await answer(spec.clusterIP)).toBeGreaterThan(before)
    const port = (await get<Service>('service', 'counter-port')).spec.ports[0].nodePort
    for (const { address } of sharedCluster().nodes) {
      expect(await answer(`${address}:${port}`)).toBeGreaterThan(before)
    }
  })

  test('has names for pods and Services', async () => {
    const look = `const { lookup } = require('node:dns').promises
      lookup('counter-0.counter').then(({ address }) => console.log(address))`
    const found = await kubectl('exec', 'counter-0', '--', 'node', '-e', look)
    expect(found.trim()).toBe((await pod()).status.podIP)
    const ask = `fetch('http://counter-ip.${namespace}.svc.cluster.local').then(a => console.log(a.ok))`
    expect((await kubectl('exec', 'counter-0', '--', 'node', '-e', ask)).trim()).toBe('true')
  })

  test('lets a pod reach the API server by its Service', async () => {
    const ask = `const fs = require('node:fs')
      const where = '/var/run/secrets/kubernetes.io/serviceaccount/'
      const headers = { authorization: 'Bearer ' + fs.readFileSync(where + 'token') }
      const ca = fs.readFileSync(where + 'ca.crt')
      require('node:https').get('https://kubernetes.default.svc/version', { ca, headers }, answer => {
        answer.resume()
        console.log(answer.statusCode)
      })`
    expect((await kubectl('exec', 'counter-0', '--', 'node', '-e', ask)).trim()).toBe('200')
  })

  test('keeps the data through the death of a node, and its pod comes back', async () => {
    const before = await pod()
    const node = sharedCluster().node(before.spec.nodeName!)
    const asked = await answer(`${before.status.podIP}:8080`)
    await node.kill()
    await eventually('a pod that is not ready', pod, found => !isReady(found))
    await node.start()
    await eventually('a pod that is ready again', pod, isReady)
    expect(await answer(`${(await pod()).status.podIP}:8080`)).toBe(asked + 1)
  })

  test('notices a cable that is pulled, and one that is plugged in again', async () => {
    const node = sharedCluster().node((await pod()).spec.nodeName!)
    node.pullCable()
    await eventually('a pod that nobody hears of', pod, found => !isReady(found))
    node.plugCable()
    await eventually('a pod that is heard of again', pod, isReady)
  })

  test('has disks that lose what is on them, and that go away', async () => {
    const { spec } = await get<{ spec: { volumeName: string } }>('pvc', 'data-counter-0')
    const { nodeName } = (await pod()).spec
    const disk = sharedCluster()
      .node(nodeName!)
      .disks.find(({ volume }) => volume === spec.volumeName)!
    expect(readdirSync(disk.path)).toContain('asked')
    disk.unmount()
    expect(readdirSync(disk.path)).toEqual([])
    disk.mount()
    expect(readdirSync(disk.path)).toContain('asked')
    writeFileSync(join(disk.path, 'more'), '')
    disk.empty()
    expect(existsSync(join(disk.path, 'more'))).toBe(false)
    expect(readdirSync(disk.path)).toEqual([])
  })
})
