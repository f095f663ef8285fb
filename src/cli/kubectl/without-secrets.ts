/** What stands in place of what was taken out. */
const removed = '(left out)'

/** Copies of the whole spec, with all that was taken out of it, and who wrote which field: of no use to a reader. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * An object as it may be shown to others: values of environment variables are left out, their names stay, because that
 * is where people put passwords; and so are Kubernetes' own records of earlier specs.
 */
export function withoutSecrets<Value>(value: Value): Value {
  return clean(value) as Value
}

function clean(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clean)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, child]) => {
      if (key === 'managedFields' || key === lastApplied) return []
      if (key === 'env' && Array.isArray(child)) return [[key, child.map(withoutValue)]]
      return [[key, clean(child)]]
    }),
  )
}

/** A variable that Kubernetes fills in from elsewhere says from where, which is no secret. */
function withoutValue(variable: unknown): unknown {
  const { value, ...rest } = variable as { value?: unknown }
  return value === undefined ? rest : { ...rest, value: removed }
}
