import { attempt, command } from '../kubernetes/node/command.ts'
import type { Address } from './world.ts'

/** Networks that one machine can have at once. */
const networksMax = 60

/**
 * A network of the run's own: each broker in a network namespace, all at a bridge in another one, to which this machine has
 * one link. Addresses are among those that RFC 2544 keeps for benchmarks, beyond those of test/kubernetes. Needs root.
 */
export class ChaosNetwork {
  readonly #index: number
  readonly #brokers: number

  /** @throws Error where namespaces cannot be made here. */
  static make(brokers: number): ChaosNetwork {
    const network = new ChaosNetwork(claim(), brokers)
    try {
      network.#plugAll()
      return network
    } catch (error) {
      network.remove()
      throw error
    }
  }

  private constructor(index: number, brokers: number) {
    this.#index = index
    this.#brokers = brokers
  }

  host(id: number): Address {
    return `198.18.${192 + this.#index}.${id + 1}`
  }

  /** This machine's own address in it. */
  get machine(): Address {
    return `198.18.${192 + this.#index}.254`
  }

  /**
   * Before a command, which then runs where the broker does. It sees the mounts of this process: in a copy of them a disk that
   * is unmounted here would go on.
   */
  wrapper(id: number): readonly string[] {
    return ['nsenter', `--net=/var/run/netns/${this.#namespace(id)}`]
  }

  /**
   * What `from` sends to `to` goes nowhere, and neither hears of it; the other way is open. Both go on when the neighbour is
   * found again.
   */
  cut(from: number, to: number): void {
    const nobody = ['lladdr', '02:00:00:00:00:01', 'dev', 'eth0', 'nud', 'permanent']
    inside(this.#namespace(from), 'neigh', 'replace', this.host(to), ...nobody)
  }

  mend(from: number, to: number): void {
    inside(this.#namespace(from), 'neigh', 'delete', this.host(to), 'dev', 'eth0')
  }

  /** Pulls a broker's cable, or plugs it in again: nobody reaches it, clients neither. */
  setCable(id: number, isIn: boolean): void {
    inside(this.#switch, 'link', 'set', `port-${id}`, isIn ? 'up' : 'down')
  }

  remove(): void {
    attempt('ip', 'link', 'delete', this.#hostInterface)
    for (let id = 0; id < this.#brokers; id++) attempt('ip', 'netns', 'delete', this.#namespace(id))
    attempt('ip', 'netns', 'delete', this.#switch)
  }

  #plugAll(): void {
    const peer = ['type', 'veth', 'peer', 'name', this.#hostInterface, 'netns', '1']
    inside(this.#switch, 'link', 'add', 'switch', 'type', 'bridge')
    inside(this.#switch, 'link', 'set', 'switch', 'up')
    inside(this.#switch, 'link', 'add', 'port-host', ...peer)
    this.#plug('port-host')
    command('ip', 'address', 'add', `${this.machine}/24`, 'dev', this.#hostInterface)
    command('ip', 'link', 'set', this.#hostInterface, 'up')
    for (let id = 0; id < this.#brokers; id++) this.#plugBroker(id)
  }

  #plugBroker(id: number): void {
    const namespace = this.#namespace(id)
    command('ip', 'netns', 'add', namespace)
    inside(namespace, 'link', 'set', 'lo', 'up')
    const peer = ['type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace]
    inside(this.#switch, 'link', 'add', `port-${id}`, ...peer)
    this.#plug(`port-${id}`)
    inside(namespace, 'address', 'add', `${this.host(id)}/24`, 'dev', 'eth0')
    inside(namespace, 'link', 'set', 'eth0', 'up')
  }

  #plug(port: string): void {
    inside(this.#switch, 'link', 'set', port, 'master', 'switch')
    inside(this.#switch, 'link', 'set', port, 'up')
  }

  get #switch(): string {
    return `chaos${this.#index}-switch`
  }

  get #hostInterface(): string {
    return `chaos${this.#index}-host`
  }

  #namespace(id: number): string {
    return `chaos${this.#index}-${id}`
  }
}

/** Whose namespace could be made has the index: only one can. */
function claim(): number {
  for (let index = 0; index < networksMax; index++) {
    if (attempt('ip', 'netns', 'add', `chaos${index}-switch`)) return index
  }
  throw new Error(
    'no network namespace can be made here, and cuts need some: run as root, with iproute2 installed; those that ' +
      'a former run left are listed by `ip netns`, as chaosN-switch',
  )
}

function inside(namespace: string, ...args: readonly string[]): void {
  command('ip', '-netns', namespace, ...args)
}
