import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe } from 'vitest'
import { SimDisk } from '../../sim/disk.ts'
import { SimStore, SimStoreMedium } from '../../sim/metadata-store.ts'
import { CopiedStore } from '../../src/broker/metadata/copy/copied-store.ts'
import { MetadataCopy } from '../../src/broker/metadata/copy/metadata-copy.ts'
import { FilesStore } from '../../src/broker/metadata/files/files-store.ts'
import type { Disk } from '../../src/env/disk.ts'
import { Prng } from '../../src/lib/prng.ts'
import { SharedFilesStore } from '../../src/broker/metadata/files/shared/shared-files-store.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimEtcd } from '../../sim/etcd.ts'
import { EtcdStore } from '../../src/broker/metadata/etcd/etcd-store.ts'
import { simRandom } from '../../sim/random.ts'
import { NodeDisk } from '../../src/env/real/disk.ts'
import { SimulatedRing } from './simulated-ring.ts'
import { type StorePlace, testMetadataStore } from './store-conformance.ts'

describe('the simulated store', () => {
  testMetadataStore(() => {
    const medium = new SimStoreMedium()
    return {
      open: () => Promise.resolve(new SimStore(medium)),
      beside: () => Promise.resolve(new SimStore(medium)),
      makeAmbiguous: outcome => medium.appendFaults.push(outcome),
    }
  })
})

describe('a store with a copy beside it', () => {
  testMetadataStore(() => {
    const medium = new SimStoreMedium()
    const disk = new SimDisk()
    const open = async (path: string) => {
      disk.mkdir('/data')
      const copy = MetadataCopy.open(disk, `/data/${path}`)
      const store = new CopiedStore(new SimStore(medium), copy)
      // As every broker does: a copy begins with what the store holds.
      await store.readAll()
      return store
    }
    return {
      open: () => open('metadata.copy'),
      beside: () => open('other.copy'),
      makeAmbiguous: outcome => medium.appendFaults.push(outcome),
    }
  })
})

describe('the files store on the simulated disk', () => {
  testMetadataStore(() => filesPlace(new SimDisk(), '/data/metadata'))
})

describe('the files store on the real disk', () => {
  const root = mkdtempSync(join(tmpdir(), 'logcluster-metadata-'))
  let count = 0
  afterAll(() => rmSync(root, { recursive: true }))
  testMetadataStore(() => filesPlace(new NodeDisk(), join(root, String(count++), 'metadata')))
})

describe('the shared files store on the simulated disk', () => {
  testMetadataStore(() => sharedPlace(new SimDisk(), '/cluster/metadata'))
})

describe('the shared files store on the real disk', () => {
  const root = mkdtempSync(join(tmpdir(), 'logcluster-shared-'))
  let count = 0
  afterAll(() => rmSync(root, { recursive: true }))
  testMetadataStore(() => sharedPlace(new NodeDisk(), join(root, String(count++), 'metadata')))
})

describe('the Kubernetes store on the simulated API', () => {
  testMetadataStore(() => ringPlace(new SimulatedRing()))
})

describe('the Kubernetes store with a ring of 16 slots and chunks of 40 bytes', () => {
  testMetadataStore(() => {
    return ringPlace(new SimulatedRing({ slotCount: 16, chunkCount: 4, chunkBytesMax: 40 }))
  })
})

describe('the etcd store on a simulated etcd', () => {
  testMetadataStore(() => {
    const etcd = new SimEtcd()
    const open = (brokerId: number) => {
      const prefix = '/logcluster/test/'
      const incarnationId = `process ${brokerId}`
      const keyValues = etcd.connect()
      const clock = new SimClock()
      return Promise.resolve(
        new EtcdStore({
          keyValues,
          clock,
          prefix,
          brokerId,
          incarnationId,
          snapshotIntervalMax: 200,
        }),
      )
    }
    return {
      open: () => open(0),
      beside: () => open(1),
      makeAmbiguous: outcome => etcd.faults.push(outcome),
    }
  })
})

function ringPlace(ring: SimulatedRing): StorePlace {
  return {
    open: () => Promise.resolve(ring.store()),
    beside: () => Promise.resolve(ring.store({ brokerId: 1 })),
    makeAmbiguous: outcome => ring.makeAmbiguous(outcome),
  }
}

/** Everything older than the newest snapshot is trimmed at once, so that old names can come back. */
function sharedPlace(disk: Disk, path: string): StorePlace {
  const clock = new SimClock()
  const random = simRandom(new Prng(1))
  const kept = { recordCountMin: 0, ageMsMin: 0 }
  const open = (brokerId: number) =>
    SharedFilesStore.open({ disk, clock, random, path, brokerId, snapshotIntervalMax: 200, kept })
  let store: SharedFilesStore | null = null
  return {
    async open() {
      await store?.close()
      store = await open(0)
      return store
    },
    beside: () => open(1),
  }
}

function filesPlace(disk: Disk, path: string): StorePlace {
  let store: FilesStore | null = null
  return {
    async open() {
      await store?.close()
      store = await FilesStore.open({ disk, path, snapshotIntervalMax: 200 })
      return store
    },
    beside: theirs => Promise.resolve(theirs),
  }
}
