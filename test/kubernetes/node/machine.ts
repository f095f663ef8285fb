import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { attempt } from './command.ts'

/** What kubelet sets for the whole machine. */
const sysctls = ['vm/overcommit_memory', 'kernel/panic', 'kernel/panic_on_oops']

/** Where containerd, CNI and kubelet write whatever they are told. */
const fixedPlaces = ['/run/containerd', '/var/lib/cni', '/var/lib/kubelet', '/var/log/containers']

/** What nodes are made of that no build and no fetch of ours brings, each with the Debian package that has it. */
const programs: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  runc: 'runc',
  iptables: 'iptables',
  conntrack: 'conntrack',
  ip: 'iproute2',
  nsenter: 'util-linux',
  buildah: 'buildah',
  debootstrap: 'debootstrap',
  cc: 'gcc',
}

/** Why this machine can have no nodes of ours, or null if it can. */
export function whyNoNodes(): string | null {
  if (process.getuid?.() !== 0) return 'nodes need root'
  if (existsSync('/var/lib/kubelet/config.yaml')) return 'this machine is a node itself'
  const missing = Object.entries(programs).filter(([program]) => !attempt('which', program))
  if (!existsSync('/usr/lib/cni/bridge')) missing.push(['CNI', 'containernetworking-plugins'])
  if (missing.length === 0) return null
  return `not installed: ${missing.map(([, name]) => name).join(', ')}`
}

interface Machine {
  readonly sysctls: Readonly<Record<string, string>>
  /** Fixed places that were not there. */
  readonly absent: readonly string[]
}

/** Remembers, beside the clusters, how the machine was; the first cluster that has nodes does. */
export function keepMachine(home: string): void {
  if (existsSync(fileIn(home))) return
  const machine: Machine = {
    sysctls: Object.fromEntries(
      sysctls.map(name => [name, readFileSync(`/proc/sys/${name}`, 'utf8').trim()]),
    ),
    absent: fixedPlaces.filter(place => !existsSync(place)),
  }
  writeFileSync(fileIn(home), JSON.stringify(machine))
}

/** Makes it so again; the last cluster that has nodes does. */
export function restoreMachine(home: string): void {
  if (!existsSync(fileIn(home))) return
  const machine = JSON.parse(readFileSync(fileIn(home), 'utf8')) as Machine
  for (const [name, value] of Object.entries(machine.sysctls)) {
    writeFileSync(`/proc/sys/${name}`, value)
  }
  for (const place of machine.absent) rmSync(place, { recursive: true, force: true })
  rmSync(fileIn(home))
}

function fileIn(home: string): string {
  return join(home, '.machine.json')
}
