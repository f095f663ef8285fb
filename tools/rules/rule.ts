/** An alert. Its page lies in `docs/runbooks`, under its name. */
export interface Alert {
  /** CamelCase, begins with LogCluster. */
  readonly alert: string
  readonly expr: string
  /** How long it must hold: minutes, so that a restart alerts nobody. */
  readonly for: string
  /** critical: somebody gets up for it. warning: somebody looks at it in the morning. */
  readonly severity: 'critical' | 'warning'
  /** Few words, with the labels that tell where. */
  readonly summary: string
  /** What it means, and the value. */
  readonly description: string
}

/** A series that is computed at each evaluation; its name is `level:metric:operation`. */
export interface Recording {
  readonly record: string
  readonly expr: string
}

export interface RuleGroup {
  readonly name: string
  readonly rules: readonly (Alert | Recording)[]
}

/** Where a broker is, for `by`: the namespace is Prometheus' own, and absent outside Kubernetes. */
export const brokerLabels = 'namespace, logcluster, instance'

/** Where a cluster is, for `by`. */
export const clusterLabels = 'namespace, logcluster'

/**
 * What a counter grew by within half an hour, by series, where it grew. `increase` needs two samples, and what a process counts before it
 * is first scraped is in none of them: of one that is younger than that all counts.
 */
export function grownLately(counter: string): string {
  return `(increase(${counter}[30m]) > 0 or (${counter} > 0 and on (${brokerLabels}) time() - process_start_time_seconds < 1800))`
}
