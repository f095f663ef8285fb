import type { Env } from '../env/env.ts'
import { randomUuid } from '../env/random.ts'
import type { MakeRoom } from '../env/with-room.ts'
import { HttpKeyValues } from '../etcd/http-key-values.ts'
import { HttpsObjects } from '../kubernetes/https-objects.ts'
import type { NamedObjects } from '../kubernetes/named-objects.ts'
import { etcdPlace } from './config/etcd-place.ts'
import type { Settings } from './config/settings.ts'
import { EtcdStore } from './metadata/etcd/etcd-store.ts'
import { FilesStore } from './metadata/files/files-store.ts'
import { SharedFilesStore } from './metadata/files/shared/shared-files-store.ts'
import { KubernetesStore } from './metadata/kubernetes/kubernetes-store.ts'
import type { MetadataStore } from './metadata/store.ts'

export interface OpenStoreOptions {
  readonly env: Pick<Env, 'clock' | 'disk' | 'random'>
  readonly settings: Settings
  readonly openObjects: () => NamedObjects
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void
  readonly makeRoom: MakeRoom
}

/**
 * The place of the metadata log that the settings name. One in Kubernetes or in etcd is not asked for anything yet.
 * @throws StoreError `unsuitable` or `locked`, for files
 */
export function openStore({
  env,
  settings,
  openObjects: open,
  warn,
  makeRoom,
}: OpenStoreOptions): Promise<MetadataStore> {
  const { metadataStore, metadataLogDir, metadataDir, logDirs, nodeId } = settings
  if (metadataDir !== '') {
    return SharedFilesStore.open({ ...env, path: metadataDir, brokerId: nodeId, makeRoom })
  }
  if (metadataStore === 'files') {
    const path = metadataLogDir === '' ? `${logDirs}/metadata` : metadataLogDir
    return FilesStore.open({ disk: env.disk, path, makeRoom })
  }
  const etcd = etcdPlace(metadataStore)
  if (etcd !== null) {
    const { urls, prefix } = etcd
    const keyValues = new HttpKeyValues({ urls, clock: env.clock })
    const me = { brokerId: nodeId, incarnationId: randomUuid(env.random) }
    return Promise.resolve(new EtcdStore({ keyValues, clock: env.clock, prefix, ...me }))
  }
  const store = new KubernetesStore({
    objects: open(),
    clock: env.clock,
    cluster: settings.kubernetesClusterName,
    clusterId: settings.clusterId,
    brokerId: settings.nodeId,
    warn,
  })
  return Promise.resolve(store)
}

/** True: no other broker can reach the place of the metadata log, so this one is the whole cluster. */
export function isSoleStore({ metadataStore, metadataDir }: Settings): boolean {
  return metadataStore === 'files' && metadataDir === ''
}

/** The Kubernetes API as the settings name it; nothing is connected or read yet. */
export function openObjects({
  env,
  settings,
}: Pick<OpenStoreOptions, 'env' | 'settings'>): NamedObjects {
  return new HttpsObjects({
    url: settings.kubernetesApiUrl,
    namespace: settings.kubernetesNamespace,
    tokenFile: settings.kubernetesTokenFile,
    caFile: settings.kubernetesCaFile,
    clock: env.clock,
  })
}
