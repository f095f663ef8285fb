import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../helpers/run.ts'
import { Component, flags } from '../component.ts'
import { writeKubeconfig } from '../control-plane/kubeconfig.ts'
import { Authority } from '../control-plane/certificates.ts'
import { ended, killAll, processesOf } from '../processes.ts'
import { builtProgram } from '../programs/built.ts'
import { makeGroup, processesIn } from './cgroups.ts'
import { containerdPort, kubeletHealthPort, writeConfiguration } from './configuration.ts'
import { Disk, disksPerNode } from './disk.ts'
import { setCable } from './network.ts'
import type { NodePlace, Topology } from './topology.ts'

/** A node as Kubernetes sees one, with kubelet, containerd and kube-proxy in a network namespace. */
export class Node {
  readonly name: string
  readonly address: string
  readonly networkNamespace: string
  /** What its static PersistentVolumes lie on. */
  readonly disks: readonly Disk[]
  readonly #clusterFolder: string
  readonly #topology: Topology
  readonly #place: NodePlace

  constructor(clusterFolder: string, topology: Topology, place: NodePlace) {
    this.name = place.name
    this.address = place.address
    this.networkNamespace = place.networkNamespace
    this.#clusterFolder = clusterFolder
    this.#topology = topology
    this.#place = place
    this.disks = Array.from(
      { length: disksPerNode },
      (_, at) => new Disk(place.name, `disk-${at + 1}`, join(this.#folder, 'disks')),
    )
  }

  /** Says how its programs are started, and makes what they stand on. */
  static define(clusterFolder: string, topology: Topology, place: NodePlace, url: string): Node {
    const node = new Node(clusterFolder, topology, place)
    makeGroup(place.networkNamespace)
    for (const disk of node.disks) disk.make()
    node.#define(url)
    return node
  }

  #define(url: string): void {
    const { name, address, networkNamespace } = this
    const files = writeConfiguration(this.#folder, this.#topology, this.#place)
    const own = { folder: this.#clusterFolder, networkNamespace }
    Component.define({
      ...own,
      name: this.#containerd.name,
      program: 'containerd',
      args: flags({ config: files.containerd, 'log-level': 'warn' }),
      readyUrl: `http://${address}:${containerdPort}/v1/metrics`,
    })
    Component.define({
      ...own,
      name: this.#kubelet.name,
      program: builtProgram('kubelet'),
      args: flags({
        config: files.kubelet,
        kubeconfig: this.#kubeconfig('kubelet', url, `/O=system:nodes/CN=system:node:${name}`),
        'root-dir': join(this.#folder, 'kubelet'),
        'cert-dir': join(this.#folder, 'kubelet-pki'),
        'node-ip': address,
        'hostname-override': name,
      }),
      readyUrl: `http://${address}:${kubeletHealthPort}/healthz`,
    })
    Component.define({
      ...own,
      name: this.#proxy.name,
      program: builtProgram('kube-proxy'),
      args: flags({
        kubeconfig: this.#kubeconfig('kube-proxy', url, '/CN=system:kube-proxy'),
        'hostname-override': name,
        'proxy-mode': 'iptables',
        'cluster-cidr': this.#topology.podRange,
        'healthz-bind-address': `${address}:10256`,
        'metrics-bind-address': `${address}:10249`,
        // It may not write these for a network namespace.
        'conntrack-max-per-core': '0',
        'conntrack-tcp-timeout-established': '0',
        'conntrack-tcp-timeout-close-wait': '0',
      }),
      readyUrl: `http://${address}:10256/livez`,
    })
  }

  /** containerd alone, so that images can be brought before the first pod. */
  startContainers(): Promise<void> {
    return this.#containerd.start()
  }

  async startKubernetes(): Promise<void> {
    await Promise.all([this.#kubelet.start(), this.#proxy.start()])
  }

  /** After `kill`: as the machine boots. What its disks have is there still. */
  async start(): Promise<void> {
    await this.startContainers()
    await this.startKubernetes()
  }

  /** As its power fails: each of its processes ends at once, those in its pods too. */
  async kill(): Promise<void> {
    // Kubelet and shims first: they would start others, and tell of those that have ended.
    for (const { name } of [this.#kubelet, this.#proxy, this.#containerd]) {
      await killAll(processesOf(this.#clusterFolder, name))
    }
    for (;;) {
      const pids = processesIn(this.networkNamespace)
      if (pids.length === 0) return
      await killAll(pids)
      await ended(pids, 1000)
    }
  }

  /** Kubelet stands still, as of a node that is too busy; its pods go on. */
  async pauseKubelet(): Promise<void> {
    await this.#kubelet.pause()
  }

  resumeKubelet(): void {
    this.#kubelet.resume()
  }

  /** It reaches nobody and nobody it, while everything on it goes on. */
  pullCable(): void {
    setCable(this.#topology, this.#place, false)
  }

  plugCable(): void {
    setCable(this.#topology, this.#place, true)
  }

  /** Gives it an image out of an OCI archive, under the name in it, so that no pod pulls it. */
  async importImage(archive: string): Promise<void> {
    await this.#ctr(['images', 'import', archive], 300_000)
  }

  /** Gives an image that it has a second name. */
  async tagImage(name: string, second: string): Promise<void> {
    await this.#ctr(['images', 'tag', '--force', name, second])
  }

  /** By name, as containerd knows them. */
  async images(): Promise<string[]> {
    return (await this.#ctr(['images', 'list', '-q'])).stdout.trim().split('\n')
  }

  /** What the containers of a pod have said, by `NAMESPACE_NAME_UID`; also of one that the API server knows no more. */
  podLog(pod: string): string {
    const folder = join(this.#folder, 'pods', pod)
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
      .join('')
  }

  /** Whether who runs on it can connect to that address, by the rules that its pods' connections go by too. */
  async reaches(host: string, port: number): Promise<boolean> {
    const connect = ['timeout', '2', 'bash', '-c', `: </dev/tcp/${host}/${port}`]
    const { status } = await run('nsenter', [...this.nsenter, ...connect], { anyStatus: true })
    return status === 0
  }

  /** The arguments that start a program in its network, for `spawn('nsenter', ...)`. */
  get nsenter(): string[] {
    return [`--net=/var/run/netns/${this.networkNamespace}`]
  }

  async #ctr(args: readonly string[], timeoutMs = 60_000) {
    const socket = join(this.#folder, 'containerd.sock')
    return await run('ctr', ['-a', socket, '-n', 'k8s.io', ...args], { timeoutMs })
  }

  #kubeconfig(program: string, url: string, subject: string): string {
    const authority = new Authority(join(this.#clusterFolder, 'pki'))
    const as = authority.issue(`${program}-${this.name}`, subject)
    const path = join(this.#folder, `${program}.kubeconfig`)
    return writeKubeconfig(path, { url, authority: authority.certificate, as })
  }

  get #folder(): string {
    return join(this.#clusterFolder, 'nodes', this.name)
  }

  get #containerd(): Component {
    return new Component(this.#clusterFolder, `containerd-${this.name}`)
  }

  get #kubelet(): Component {
    return new Component(this.#clusterFolder, `kubelet-${this.name}`)
  }

  get #proxy(): Component {
    return new Component(this.#clusterFolder, `kube-proxy-${this.name}`)
  }
}
