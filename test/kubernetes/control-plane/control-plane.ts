import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Component, flags } from '../component.ts'
import { builtProgram } from '../programs/built.ts'
import { adminKubeconfig, ApiAccess } from './access.ts'
import { AuditLog } from './audit.ts'
import { Authority, type KeyPair } from './certificates.ts'
import { writeKubeconfig } from './kubeconfig.ts'
import { freePort } from './ports.ts'

export interface ControlPlaneOptions {
  /**
   * Whether kube-controller-manager runs, with its usual controllers or with these. By default it does not: objects
   * stay as they are written, no ServiceAccount is made by itself, nothing is collected.
   */
  readonly controllers?: boolean | readonly string[]
  /** Whether kube-scheduler runs; by default not. */
  readonly scheduler?: boolean
  /** Of Services. */
  readonly serviceRange?: string
  /** For kube-apiserver over what is given it here, such as `--max-requests-inflight=1`. */
  readonly apiServerArgs?: readonly string[]
}

/** Where one runs. */
export interface Place {
  /** Of the cluster; everything that the control plane writes is in it. */
  readonly folder: string
  /** Where its servers listen: 127.0.0.1 will do where there are no nodes. */
  readonly address: string
  /** Of `ip netns`, where that address is; undefined for ours. */
  readonly networkNamespace?: string | undefined
}

/** What a StatefulSet, a Deployment, a Service, a claim and a namespace need; `node-lifecycle` and `taint-eviction` for the death of nodes. */
export const usualControllers = [
  'statefulset-controller',
  'deployment-controller',
  'replicaset-controller',
  'job-controller',
  'endpoints-controller',
  'endpointslice-controller',
  'disruption-controller',
  'persistentvolume-binder-controller',
  'persistentvolumeclaim-protection-controller',
  'persistentvolume-protection-controller',
  'garbage-collector-controller',
  'namespace-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'root-ca-certificate-publisher-controller',
  'pod-garbage-collector-controller',
] as const

/**
 * A real Kubernetes API server on an etcd of its own, with the controllers and the scheduler where they are wished:
 * ready in 3 s, some can run side by side. By itself it has no node: pods stay Pending, and tests say what becomes
 * of them. All that there is to know lies in its folder, so that any process can have it.
 */
export class ControlPlane extends ApiAccess {
  readonly etcd: Component
  readonly apiServer: Component
  /** Those that stand on the API server; none where none was wished. */
  readonly controllers: readonly Component[]

  constructor(folder: string) {
    super(folder)
    this.etcd = new Component(folder, 'etcd')
    this.apiServer = new Component(folder, 'kube-apiserver')
    this.controllers = ['kube-controller-manager', 'kube-scheduler']
      .map(name => new Component(folder, name))
      .filter(({ isDefined }) => isDefined)
  }

  /** A copy of what etcd has at this moment, for `restoreEtcd`. It stands still meanwhile, for some milliseconds. */
  async snapshotEtcd(): Promise<string> {
    const copy = mkdtempSync(join(this.folder, 'snapshot-'))
    await this.etcd.pause()
    try {
      cpSync(etcdData(this.folder), copy, { recursive: true })
    } finally {
      this.etcd.resume()
    }
    return copy
  }

  /** Brings back an older state, as after a disaster: revisions begin again from there. Watches end. */
  async restoreEtcd(snapshot: string): Promise<void> {
    await this.stop()
    rmSync(etcdData(this.folder), { recursive: true })
    cpSync(snapshot, etcdData(this.folder), { recursive: true })
    await this.start()
  }

  async start(): Promise<void> {
    await this.etcd.start()
    await this.apiServer.start()
    await Promise.all(this.controllers.map(each => each.start()))
  }

  /** As the death of their machine; what they wrote stays. */
  async stop(): Promise<void> {
    await Promise.all(this.controllers.map(each => each.kill()))
    await this.apiServer.kill()
    await this.etcd.kill()
  }
}

function etcdData(folder: string): string {
  return join(folder, 'etcd')
}

/** Starts one and resolves when it is ready. Whoever owns the folder ends what is left where this throws. */
export async function controlPlaneIn(
  place: Place,
  options: ControlPlaneOptions,
): Promise<ControlPlane> {
  const { folder, address } = place
  const authority = Authority.create(join(folder, 'pki'))
  const server = authority.issue('server', '/CN=kube-apiserver', [
    `IP:${address}`,
    // Links listen there.
    'IP:127.0.0.1',
    'DNS:localhost',
    'DNS:kubernetes',
    'DNS:kubernetes.default',
    'DNS:kubernetes.default.svc',
    `IP:${firstOf(options.serviceRange ?? defaultServiceRange)}`,
  ])
  const url = `https://${address}:${await freePort('127.0.0.1')}`
  const admin = authority.issue('admin', '/O=system:masters/CN=admin')
  writeKubeconfig(adminKubeconfig(folder), { url, authority: authority.certificate, as: admin })
  const certified = { place, url, authority, server, keys: authority.signingKeys(), options }
  defineApiServer(certified, await defineEtcd(place))
  await defineControllers(certified)
  const plane = new ControlPlane(folder)
  await plane.start()
  return plane
}

const defaultServiceRange = '10.96.0.0/16'

/** Of a range of Services, the one of `kubernetes.default`. */
function firstOf(range: string): string {
  return range.replace(/\d+\/\d+$/, '1')
}

interface Certified {
  readonly place: Place
  readonly url: string
  readonly authority: Authority
  readonly server: KeyPair
  readonly keys: { readonly privateKey: string; readonly publicKey: string }
  readonly options: ControlPlaneOptions
}

/** Returns where the API server finds it. */
async function defineEtcd(place: Place): Promise<string> {
  const url = `http://${place.address}:${await freePort('127.0.0.1')}`
  const peers = `http://${place.address}:${await freePort('127.0.0.1')}`
  const args = flags({
    'data-dir': etcdData(place.folder),
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peers,
    'initial-advertise-peer-urls': peers,
    'initial-cluster': `default=${peers}`,
    'unsafe-no-fsync': 'true',
    'log-level': 'warn',
  })
  const readyUrl = `${url}/health`
  Component.define({ ...place, name: 'etcd', program: builtProgram('etcd'), args, readyUrl })
  return url
}

function defineApiServer(certified: Certified, etcdUrl: string): void {
  const { place, url, authority, server, keys, options } = certified
  const args = flags({
    'etcd-servers': etcdUrl,
    'bind-address': place.address,
    'advertise-address': place.address,
    'secure-port': new URL(url).port,
    'tls-cert-file': server.certificate,
    'tls-private-key-file': server.key,
    'client-ca-file': authority.certificate,
    'service-account-issuer': url,
    'service-account-key-file': keys.publicKey,
    'service-account-signing-key-file': keys.privateKey,
    'service-cluster-ip-range': options.serviceRange ?? defaultServiceRange,
    'authorization-mode': 'Node,RBAC',
    'allow-privileged': 'true',
    // It writes its address into an object that takes no loopback address.
    'endpoint-reconciler-type': place.address === '127.0.0.1' ? 'none' : 'lease',
    'kubelet-preferred-address-types': 'InternalIP',
    ...new AuditLog(place.folder).begin(),
  })
  Component.define({
    ...place,
    name: 'kube-apiserver',
    program: builtProgram('kube-apiserver'),
    args: [...args, ...(options.apiServerArgs ?? [])],
    readyUrl: `${url}/readyz`,
    authority: authority.certificate,
  })
}

async function defineControllers(certified: Certified): Promise<void> {
  const { controllers = false, scheduler = false } = certified.options
  const wished = controllers === true ? usualControllers : controllers || []
  if (wished.length > 0) {
    await defineController(certified, 'kube-controller-manager', {
      controllers: wished.join(','),
      'root-ca-file': certified.authority.certificate,
      'service-account-private-key-file': certified.keys.privateKey,
      'use-service-account-credentials': 'true',
      'pvclaimbinder-sync-period': '2s',
      // A node that does not tell of itself for so long is taken for dead; by default 50 s.
      'node-monitor-grace-period': '12s',
    })
  }
  if (scheduler) await defineController(certified, 'kube-scheduler', {})
}

async function defineController(
  certified: Certified,
  name: 'kube-controller-manager' | 'kube-scheduler',
  more: Readonly<Record<string, string>>,
): Promise<void> {
  const { place, url, authority, server } = certified
  const as = authority.issue(name, `/CN=system:${name}`)
  const kubeconfig = join(place.folder, `${name}.kubeconfig`)
  writeKubeconfig(kubeconfig, { url, authority: authority.certificate, as })
  const port = await freePort('127.0.0.1')
  const args = flags({
    kubeconfig,
    'leader-elect': 'false',
    'bind-address': place.address,
    'secure-port': String(port),
    'tls-cert-file': server.certificate,
    'tls-private-key-file': server.key,
    ...more,
  })
  Component.define({
    ...place,
    name,
    program: builtProgram(name),
    args,
    readyUrl: `https://${place.address}:${port}/healthz`,
    authority: authority.certificate,
  })
}
