type Tree = Readonly<Record<string, unknown>>

/** `change` over `base`: objects by key, anything else as a whole; null takes a key away. */
export function deepMerge(base: Tree, change: Tree): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(change)) {
    const former = merged[key]
    if (value === null) delete merged[key]
    else if (isTree(value)) merged[key] = deepMerge(isTree(former) ? former : {}, value)
    else merged[key] = structuredClone(value)
  }
  return merged
}

/** `live` without what was applied `before` and is not applied `now`. */
export function without(live: Tree, before: Tree, now: Tree): Record<string, unknown> {
  const rest: Record<string, unknown> = { ...live }
  for (const [key, value] of Object.entries(before)) {
    const next = now[key]
    if (next === undefined) delete rest[key]
    else if (isTree(value) && isTree(next) && isTree(rest[key])) {
      rest[key] = without(rest[key], value, next)
    }
  }
  return rest
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
