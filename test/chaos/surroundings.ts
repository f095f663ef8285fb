import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LoopDisk } from '../crash/loop-disk.ts'
import { whyNoPowerLoss } from '../crash/power-loss.ts'
import type { BrokerPlace } from '../helpers/broker-cluster.ts'
import { Etcd, whyNoEtcd } from '../helpers/etcd.ts'
import { diskFaults } from './disk-faults.ts'
import { type Fault, processFaults } from './faults.ts'
import { networkFaults } from './network-faults.ts'
import { ChaosNetwork } from './network.ts'
import { etcdFaults, folderFaults } from './store-faults.ts'

/** Why not every kind of fault can be had here; null where it can. */
export async function whyNotEvery(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'cuts and lost power need root'
  const noPowerLoss = await whyNoPowerLoss()
  return noPowerLoss === null ? whyNoEtcd() : `no power can be lost here: ${noPowerLoss}`
}

/** A network, a disk and a store of a run's own, with all that can go wrong in them. */
export class Surroundings {
  readonly #network: ChaosNetwork
  readonly #folder = mkdtempSync(join(tmpdir(), 'logcluster-chaos-'))
  #disk: LoopDisk | null = null
  #etcd: Etcd | null = null

  /** @throws Error where one of them cannot be had here. */
  static async make(brokers: number, store: 'files' | 'etcd'): Promise<Surroundings> {
    const made = new Surroundings(ChaosNetwork.make(brokers))
    try {
      made.#disk = await LoopDisk.make(made.#folder)
      mkdirSync(join(made.#disk.mountPoint, 'data'))
      writeFileSync(made.#bootIdFile, 'boot-1')
      if (store === 'etcd') made.#etcd = await Etcd.start(made.#network.machine)
      return made
    } catch (error) {
      await made[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(network: ChaosNetwork) {
    this.#network = network
  }

  get settings(): Readonly<Record<string, string>> {
    if (this.#etcd === null) return {}
    return { 'metadata.store': `etcd://${this.#etcd.address}/chaos`, 'metadata.dir': '' }
  }

  get faults(): Readonly<Record<string, Fault>> {
    const place = { id: smallDiskOf, disk: this.#disk!, bootIdFile: this.#bootIdFile }
    return {
      ...processFaults,
      ...networkFaults(this.#network),
      ...diskFaults(place),
      ...(this.#etcd === null ? folderFaults : etcdFaults(this.#etcd)),
    }
  }

  placeOf(id: number): BrokerPlace {
    const [host, wrapper] = [this.#network.host(id), this.#network.wrapper(id)]
    if (id !== smallDiskOf) return { host, wrapper }
    // The kernel that starts next is another one, and nobody but the broker believes so.
    const mount = `mount --bind ${this.#bootIdFile} /proc/sys/kernel/random/boot_id && exec "$@"`
    const own = ['unshare', '-m', 'sh', '-c', mount, 'sh']
    return { host, wrapper: [...wrapper, ...own], dataDir: join(this.#disk!.mountPoint, 'data') }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#etcd?.end()
    await this.#disk?.[Symbol.asyncDispose]()
    this.#network.remove()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #bootIdFile(): string {
    return join(this.#folder, 'boot-id')
  }
}

/** The broker whose disk is small and can lose its power. */
const smallDiskOf = 0
