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
