import type { ObjectName, Stored } from './objects.ts'

/**
 * What a watch has told of one kind, without `managedFields`. It may lag without bound: decisions that destroy or
 * permit something look with `KubernetesApi.get`, and their write carries what they saw.
 */
export interface Cache<Object extends Stored> {
  get(at: ObjectName): Object | undefined
  /** All of the kind, in no order. */
  all(): Iterable<Object>
  /** Those to which the index of the informer gave this word, such as `streaming/orders` for a cluster's. */
  indexed(word: string): readonly Object[]
}
