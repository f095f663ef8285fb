/** What every object of the API has, as it stands in JSON: times are RFC 3339 texts. */
interface ObjectMeta {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  readonly resourceVersion: string
  /** Grows with each change of the spec. */
  readonly generation: number
  readonly creationTimestamp: string
  /** Set once deletion was asked for; the object stays as long as it has finalizers. */
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
  readonly ownerReferences?: readonly OwnerReference[]
}

interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

export const group = 'logcluster.dev'
export const version = 'v1beta1'
export const apiVersion = `${group}/${version}` as const

/** An object as the API server gives it: defaults are filled in. */
export interface Resource<Kind extends string, Spec, Status> {
  readonly apiVersion: typeof apiVersion
  readonly kind: Kind
  readonly metadata: ObjectMeta
  readonly spec: Spec
  readonly status: Status
}

/** An object as a user writes it. */
export interface Manifest<Kind extends string, Spec> {
  readonly apiVersion: typeof apiVersion
  readonly kind: Kind
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec: Spec
}
