import type {
  V1ConfigMap,
  V1Lease,
  V1Namespace,
  V1Node,
  V1ObjectMeta,
  V1OwnerReference,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodDisruptionBudget,
  V1Role,
  V1RoleBinding,
  V1Secret,
  V1Service,
  V1ServiceAccount,
  V1StatefulSet,
  V1StorageClass,
} from '@kubernetes/client-node'

/** A model of client-node as the API server speaks it: what the model holds as a Date is text in JSON. */
type Json<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Json<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Json<T[Key]> }
      : T

/** Which object of a kind. `namespace` is left out where the kind has none. */
export interface ObjectName {
  readonly namespace?: string
  readonly name: string
}

/** What is said of an object that is to be written. With `uid` or `resourceVersion` the write is refused for any other. */
type DraftMeta = Json<V1ObjectMeta> & ObjectName

/** Metadata of an object that the API server has stored. */
type StoredMeta = DraftMeta & { readonly uid: string; readonly resourceVersion: string }

/** What every object has that is to be written. */
export interface Draft {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: DraftMeta
}

/** What every object has that the API server has stored. */
export interface Stored extends Draft {
  readonly metadata: StoredMeta
}

type Body<Model> = Json<Omit<Model, 'apiVersion' | 'kind' | 'metadata'>>

/** A kind of client-node's as it comes from the API server. */
type StoredOf<Model> = Stored & Body<Model>

/** The same object before it is written: `metadata` need not say what only the API server knows. */
export type DraftOf<Object extends Stored> = Omit<Object, 'metadata'> & Draft

/** Which exact object a delete or a guarded write means: another of the same name is left alone. */
export type ExactObject = ObjectName & { readonly uid: string; readonly resourceVersion: string }

export type ConfigMap = StoredOf<V1ConfigMap>
export type Lease = StoredOf<V1Lease>
export type Namespace = StoredOf<V1Namespace>
export type Node = StoredOf<V1Node>
export type OwnerReference = Json<V1OwnerReference>
export type PersistentVolume = StoredOf<V1PersistentVolume>
export type PersistentVolumeClaim = StoredOf<V1PersistentVolumeClaim>
export type Pod = StoredOf<V1Pod>
export type PodDisruptionBudget = StoredOf<V1PodDisruptionBudget>
export type Role = StoredOf<V1Role>
export type RoleBinding = StoredOf<V1RoleBinding>
export type Secret = StoredOf<V1Secret>
export type Service = StoredOf<V1Service>
export type ServiceAccount = StoredOf<V1ServiceAccount>
export type StatefulSet = StoredOf<V1StatefulSet>
export type StorageClass = StoredOf<V1StorageClass>

/** `namespace/name`, or the name alone: an object's key among those of its kind. */
export function keyOf({ namespace, name }: ObjectName): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}
