import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Lease, Pod } from '../../../src/operator/kubernetes/objects.ts'
import { eventually } from '../../helpers/eventually.ts'
import { ApiReader } from '../control-plane/api-reader.ts'
import type { AuditEvent } from '../control-plane/audit.ts'
import { processesIn } from '../node/cgroups.ts'
import { killAll } from '../processes.ts'
import type { TruthChecker } from '../truth-checker.ts'
import { operatorNamespace } from './installed.ts'
import { sharedCluster } from './shared.ts'

const operator = `system:serviceaccount:${operatorNamespace}:logcluster`
const leaseName = 'logcluster-operator'
const selector = 'app.kubernetes.io/component=operator'
const reads = new Set(['get', 'list', 'watch'])
/** Milliseconds between a write and the end of who made it: at once, in the middle of what follows, and with that done. */
const delaysMs = [0, 150, 600, 1_500] as const
/** Without a write for so long it waits for something, or asks brokers alone. Who comes after one that was ended so has more time, lest none ever acts. */
const idleMs = { first: 5_000, next: 30_000 } as const
/** Whoever cannot end by then is not ended any more, and has to. */
const killsMax = 40
/** One more than there are delays, so that it comes upon each of them. */
const perLeaseLeft = 5
/** For the next pod to start, on a machine that does much else, and for the Lease to run out before its eyes. */
const followMsMax = 120_000

export interface KillerOptions {
  /** Holds nothing against the cluster while nobody speaks for it. */
  readonly truth: TruthChecker
  /** Whether any does. */
  readonly isLeaseLeft: boolean
}

/**
 * Ends the operator with SIGKILL after each of its acts, a little later each time, and where it waits; who comes next makes one more, and
 * is ended too. Its pod goes with it, since kubelet would wait longer before each start. The Lease is left by the first and by one in `perLeaseLeft`, and
 * the next one waits until it has run out, as in life; of the others it goes too, since 17 s more for each would only be time.
 */
export class Killer {
  readonly #audit = sharedCluster().plane.audit
  readonly #options: KillerOptions
  readonly #loop: Promise<void>
  readonly #killed: string[] = []
  readonly #followedMs: number[] = []
  #isStopping = false

  constructor(options: KillerOptions) {
    this.#options = options
    this.#loop = this.#run()
    // Told by `stop`.
    this.#loop.catch(() => {})
  }

  /** Ends no more; after what each of them was ended. */
  async stop(): Promise<readonly string[]> {
    this.#isStopping = true
    await this.#loop
    return this.#killed
  }

  /** Milliseconds from the end of one that left its Lease until the next one held it. */
  get followedMs(): readonly number[] {
    return this.#followedMs
  }

  async #run(): Promise<void> {
    let mark = this.#audit.mark()
    let sinceMs = performance.now()
    let patienceMs: number = idleMs.first
    while (!this.#isStopping && this.#killed.length < killsMax) {
      const acts = this.#audit.since(mark).filter(isAct)
      if (acts.length === 0 && performance.now() - sinceMs < patienceMs) {
        await sleep(20)
        continue
      }
      await sleep(delaysMs[this.#killed.length % delaysMs.length]!)
      await killOperator()
      const isLeaseLeft = this.#leavesLease
      this.#killed.push(acts.map(told).join(', ') || `${patienceMs} ms without a write`)
      patienceMs = acts.length === 0 ? idleMs.next : idleMs.first
      mark = this.#audit.mark()
      await inOperators('delete', 'pods', '-l', selector, '--grace-period=0', '--force')
      if (isLeaseLeft) await this.#options.truth.whileVoiceless(() => this.#untilFollowed())
      else await inOperators('delete', 'lease', leaseName, '--ignore-not-found')
      sinceMs = performance.now()
    }
  }

  /** The next one that is ended. Until one was followed so each does: the first may have been ended before it held a Lease. */
  get #leavesLease(): boolean {
    if (!this.#options.isLeaseLeft) return false
    return this.#followedMs.length === 0 || this.#killed.length % perLeaseLeft === 0
  }

  /** Until another one holds the same Lease. Where there was none, there is nothing to wait for. */
  async #untilFollowed(): Promise<void> {
    const began = performance.now()
    const left = await readLease()
    if (left === null) return
    const next = await eventually(
      `somebody who follows ${left.spec?.holderIdentity}`,
      readLease,
      found => found?.spec?.holderIdentity !== left.spec?.holderIdentity,
      followMsMax,
    )
    if (next?.metadata.uid !== left.metadata.uid) throw new Error('the Lease was made anew')
    this.#followedMs.push(Math.round(performance.now() - began))
  }
}

/** What it wants done; and an event, which is often all that is seen of what it had brokers do. */
function isAct({ user, verb, objectRef, responseStatus }: AuditEvent): boolean {
  if (user.username !== operator || reads.has(verb)) return false
  if (objectRef?.resource === 'leases' && objectRef.namespace === operatorNamespace) return false
  if (objectRef?.subresource === 'status') return false
  return (responseStatus?.code ?? 500) < 300
}

function told({ verb, objectRef }: AuditEvent): string {
  return [verb, objectRef?.resource, objectRef?.name].filter(Boolean).join(' ')
}

async function killOperator(): Promise<void> {
  const pids = sharedCluster()
    .nodes.flatMap(({ networkNamespace }) => processesIn(networkNamespace))
    .filter(isOperator)
  await killAll(pids)
}

function isOperator(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--lease-name=')
  } catch {
    return false
  }
}

async function inOperators(...args: readonly string[]): Promise<string> {
  return (await sharedCluster().plane.kubectl(['-n', operatorNamespace, ...args])).stdout
}

async function readLease(): Promise<Lease | null> {
  const text = await inOperators('get', 'lease', leaseName, '--ignore-not-found', '-o', 'json')
  return text === '' ? null : (JSON.parse(text) as Lease)
}

/** How many brokers of a cluster were not Ready at a time, at most, while it looked. */
export class DownCounter {
  readonly #reader = new ApiReader(sharedCluster().plane.kubeconfig)
  readonly #path: string
  readonly #pods: readonly string[]
  readonly #loop: Promise<void>
  #most: readonly string[] = []
  #isStopping = false

  constructor(namespace: string, pods: readonly string[]) {
    this.#pods = pods
    this.#path = `/api/v1/namespaces/${namespace}/pods`
    this.#loop = this.#run()
    this.#loop.catch(() => {})
  }

  /** Those pods that were not, when they were most. */
  async stop(): Promise<readonly string[]> {
    this.#isStopping = true
    await this.#loop
    this.#reader.close()
    return this.#most
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const found = await this.#reader.get<{ items: readonly Pod[] }>(this.#path, 10_000)
      const down = this.#pods.filter(name => !found!.items.some(pod => isReady(pod, name)))
      if (down.length > this.#most.length) this.#most = down
      await sleep(100)
    }
  }
}

function isReady({ metadata, status }: Pod, name: string): boolean {
  const isSo = status?.conditions?.some(each => each.type === 'Ready' && each.status === 'True')
  return metadata.name === name && isSo === true
}
