import { SimClock } from '../../sim/clock.ts'
import { SimKubernetes } from '../../sim/kubernetes-objects.ts'
import {
  emptyChunks,
  emptySlots,
  genesisObjects,
} from '../../src/broker/metadata/kubernetes/genesis.ts'
import { KubernetesStore } from '../../src/broker/metadata/kubernetes/kubernetes-store.ts'
import { ringNames } from '../../src/broker/metadata/kubernetes/names.ts'
import type { Geometry } from '../../src/broker/metadata/kubernetes/ring.ts'
import { encodeContent } from '../../src/broker/metadata/kubernetes/slot-format.ts'
import type { Cursor, StoredLog } from '../../src/broker/metadata/store.ts'
import { fromUtf8, utf8 } from '../../src/lib/bytes.ts'
import type { NamedObjects } from '../../src/kubernetes/named-objects.ts'

export const clusterId = '8Jb3kPz1QmSx5rT0vW2yAg'

/** A ring in the simulated API, and stores at it. */
export class SimulatedRing {
  readonly api = new SimKubernetes()
  readonly clock = new SimClock()
  readonly warnings: string[] = []
  readonly geometry: Geometry | undefined

  constructor(geometry?: Geometry, from: 'nothing' | 'disks' = 'nothing') {
    this.geometry = geometry
    if (geometry === undefined) {
      for (const { kind, name, ...fields } of genesisObjects({ cluster, clusterId, from })) {
        this.api.post(kind, name, fields)
      }
      return
    }
    const names = ringNames(cluster)
    const chunks = [...emptyChunks('a', 0, geometry), ...emptyChunks('b', 0, geometry)]
    for (const { place, content } of [...emptySlots(0, 'empty', geometry), ...chunks]) {
      const data = encodeContent(place, content, { clusterId, brokerId: -1 })
      this.api.post('ConfigMap', names.of(place), { ...data })
    }
    this.api.post('Lease', names.lease, { spec: {} })
  }

  store(
    options: { brokerId?: number; objects?: NamedObjects; clusterId?: string } = {},
  ): KubernetesStore {
    const { objects = this.api.client(), brokerId = 0 } = options
    return new KubernetesStore({
      objects,
      clock: this.clock,
      cluster,
      clusterId: options.clusterId ?? clusterId,
      brokerId,
      ...(this.geometry === undefined ? {} : { geometry: this.geometry }),
      warn: (message, fields) => this.warnings.push(`${message} ${JSON.stringify(fields)}`),
    })
  }

  /** The next append's update is lost like that, and so is the look that follows. */
  makeAmbiguous(outcome: 'applied' | 'dropped'): void {
    this.api.updateFaults.push(outcome)
    this.api.onRequest = ({ verb }) => {
      if (verb !== 'update') return
      this.api.getFaults.push('dropped', 'dropped')
      this.api.onRequest = () => {}
    }
    // What is dropped never comes to `onRequest`: it is seen by the looks before it.
    if (outcome === 'dropped') {
      let looks = 0
      this.api.onRequest = () => {
        if (++looks < 2) return
        this.api.getFaults.push('dropped', 'dropped')
        this.api.onRequest = () => {}
      }
    }
  }
}

const cluster = 'orders'

/** @throws where it is not committed */
export async function append(
  store: KubernetesStore,
  cursor: Cursor,
  text: string,
  epoch = 1,
): Promise<Cursor> {
  const outcome = await store.append(cursor, epoch, utf8(text))
  if (outcome.kind !== 'committed') throw new Error(`append: ${outcome.kind}`)
  return outcome.cursor
}

/** After what the log has. */
export async function appendAll(
  store: KubernetesStore,
  payloads: readonly string[],
): Promise<Cursor> {
  let { cursor } = await store.readAll()
  for (const payload of payloads) cursor = await append(store, cursor, payload)
  return cursor
}

/** The snapshot's payload, if there is one, and the records'. */
export function texts({ snapshot, tail }: StoredLog): string[] {
  return [snapshot, ...tail].flatMap(each => (each === null ? [] : [fromUtf8(each.payload)]))
}
