import type { ConfigEntry } from './records.ts'

export const noConfigs: ReadonlyMap<string, string> = new Map()

/** `before` with `changes`, of which null takes a name away. */
export function changed(
  before: ReadonlyMap<string, string>,
  changes: readonly { readonly name: string; readonly value: string | null }[],
): ReadonlyMap<string, string> {
  const after = new Map(before)
  for (const { name, value } of changes) {
    if (value === null) after.delete(name)
    else after.set(name, value)
  }
  return after
}

/** As records tell them. */
export function entriesOf(configs: ReadonlyMap<string, string>): ConfigEntry[] {
  return Array.from(configs, ([name, value]) => ({ name, value }))
}
