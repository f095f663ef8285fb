import type { ControllerName } from './operator.ts'
import type { Parts } from './parts.ts'
import type { Reconcile } from './reconciler.ts'
import { clusterReconcile } from './reconcile/reconcile.ts'
import { ringOf } from './ring.ts'
import { topicsReconciler } from './topics/reconcile-topics.ts'

/** What each controller does with a LogCluster. */
export const reconcilers: Readonly<Record<ControllerName, (parts: Parts) => Reconcile>> = {
  logcluster: parts => clusterReconcile({ ...parts, ringOf }),
  logtopic: topicsReconciler,
}
