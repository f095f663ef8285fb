import type { Stored } from './objects.ts'

/** What `kubectl describe` shows of what happened to an object. */
export interface ObjectEvent {
  /** The object whose story it is: a LogCluster, a LogTopic. */
  readonly regarding: Stored
  /** What it was done to, such as a pod. */
  readonly related?: Stored
  readonly type: 'Normal' | 'Warning'
  /** Why, in one CamelCase word: `ClusterCreated`, `RestartRefused`. */
  readonly reason: string
  /** What the operator did, in one CamelCase word: `Create`, `Restart`. */
  readonly action: string
  /** A sentence for people. Longer than 1,024 bytes it is cut. The same cause has the same text, so that it counts up. */
  readonly note: string
}

/** Tells events. It never throws and never makes anybody wait: an event that cannot be told is counted and dropped. */
export interface Events {
  tell(event: ObjectEvent): void
}
