import { mkdirSync, mkdtempSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { command } from './command.ts'

export const storageClass = 'local-nvme'
export const disksPerNode = 3

/** As static local volumes are served in the field: no provisioner, bound where the first pod is put. The default class. */
export const storageClassObject = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: {
    name: storageClass,
    annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
  },
  provisioner: 'kubernetes.io/no-provisioner',
  volumeBindingMode: 'WaitForFirstConsumer',
  reclaimPolicy: 'Delete',
}

/** A local disk of a node: a mount that can fail, and a PersistentVolume that says where it is. */
export class Disk {
  readonly #node: string
  readonly #name: string
  readonly #device: string
  /** Where it is mounted, on the node; on this machine too, since only networks are apart. */
  readonly path: string

  constructor(node: string, name: string, folder: string) {
    this.#node = node
    this.#name = name
    this.#device = join(folder, `${name}.device`)
    this.path = join(folder, name)
  }

  /** Of its PersistentVolume. */
  get volume(): string {
    return `${this.#node}-${this.#name}`
  }

  make(): void {
    for (const path of [this.#device, this.path]) mkdirSync(path, { recursive: true })
    this.mount()
  }

  mount(): void {
    command('mount', '--bind', this.#device, this.path)
  }

  /** Its path is an empty folder from then on, for pods that start; those that run keep what they have open. */
  unmount(): void {
    command('umount', '--lazy', this.path)
  }

  /**
   * What was on it is gone, as after a format, or where it was replaced. It goes in one piece and is left beside it: in folders that are
   * removed one by one a broker that still runs makes files meanwhile.
   */
  empty(): void {
    const gone = mkdtempSync(`${this.#device}.gone-`)
    for (const name of readdirSync(this.#device)) {
      renameSync(join(this.#device, name), join(gone, name))
    }
  }

  get object(): object {
    const onNode = { key: 'kubernetes.io/hostname', operator: 'In', values: [this.#node] }
    return {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: this.volume },
      spec: {
        capacity: { storage: '10Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Delete',
        storageClassName: storageClass,
        local: { path: this.path },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [onNode] }] } },
      },
    }
  }
}
