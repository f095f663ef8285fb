import { readdirSync } from 'node:fs'
import { attempt, command } from './command.ts'
import { type NodePlace, topologiesMax, type Topology, topologyOf } from './topology.ts'

/** Takes the addresses of a cluster for whoever asks: the first whose network namespaces nobody has made. */
export function claimTopology(nodeCount: number): Topology {
  for (let index = 0; index < topologiesMax; index++) {
    const topology = topologyOf(index, nodeCount)
    // To make the namespace is to take the index: only one can.
    if (attempt('ip', 'netns', 'add', topology.switchNamespace)) return topology
  }
  throw new Error(`${topologiesMax} clusters have nodes on this machine: npm run cluster -- list`)
}

/** Bridge, cables and routes of a topology that is claimed. */
export function makeNetwork(topology: Topology): void {
  const { switchNamespace, hostInterface, host, serviceRange, nodes } = topology
  inside(switchNamespace, 'link', 'add', 'switch', 'type', 'bridge')
  inside(switchNamespace, 'link', 'set', 'switch', 'up')
  const cable = ['type', 'veth', 'peer', 'name', hostInterface, 'netns', '1']
  inside(switchNamespace, 'link', 'add', 'port-0', ...cable)
  plug(switchNamespace, 'port-0')
  command('ip', 'address', 'add', `${host}/24`, 'dev', hostInterface)
  command('ip', 'link', 'set', hostInterface, 'up')
  for (const node of nodes) makeNode(topology, node)
  for (const { podRange, address } of nodes) {
    command('ip', 'route', 'add', podRange, 'via', address)
  }
  // Any node knows the way to a Service.
  command('ip', 'route', 'add', serviceRange, 'via', nodes[0]!.address)
}

function makeNode({ switchNamespace, host, nodes }: Topology, node: NodePlace): void {
  const namespace = node.networkNamespace
  command('ip', 'netns', 'add', namespace)
  inside(namespace, 'link', 'set', 'lo', 'up')
  const cable = ['type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace]
  inside(switchNamespace, 'link', 'add', node.port, ...cable)
  plug(switchNamespace, node.port)
  inside(namespace, 'address', 'add', `${node.address}/24`, 'dev', 'eth0')
  inside(namespace, 'link', 'set', 'eth0', 'up')
  // Nothing goes that way; but what is sent to a Service's address must have one before it is translated.
  inside(namespace, 'route', 'add', 'default', 'via', host)
  for (const other of nodes) {
    if (other !== node) inside(namespace, 'route', 'add', other.podRange, 'via', other.address)
  }
  command('nsenter', `--net=/var/run/netns/${namespace}`, 'sysctl', '-qw', 'net.ipv4.ip_forward=1')
}

function plug(switchNamespace: string, port: string): void {
  inside(switchNamespace, 'link', 'set', port, 'master', 'switch')
  inside(switchNamespace, 'link', 'set', port, 'up')
}

/** Pulls a node's cable, or plugs it in again: it keeps its addresses and routes, and reaches nobody. */
export function setCable({ switchNamespace }: Topology, node: NodePlace, isIn: boolean): void {
  inside(switchNamespace, 'link', 'set', node.port, isIn ? 'up' : 'down')
}

/** Takes the namespaces away, and with them bridge, cables, rules and this machine's link and routes. */
export function removeNetwork(topology: Topology): void {
  const { switchNamespace, nodes, hostInterface } = topology
  // The kernel clears a namespace some time later; the next one of these addresses may not meet its link.
  attempt('ip', 'link', 'delete', hostInterface)
  const there = new Set(readdirSync('/var/run/netns'))
  for (const name of [...nodes.map(node => node.networkNamespace), switchNamespace]) {
    if (there.has(name)) command('ip', 'netns', 'delete', name)
  }
}

function inside(namespace: string, ...args: readonly string[]): void {
  command('ip', '-netns', namespace, ...args)
}
