import { createHash } from 'node:crypto'

/** Ten hexadecimal digits that differ where `value` does, as JSON has it; the order of an object's keys does not count. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 10)
}

/** JSON with the keys of objects in order, and none that is undefined. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (item === null || typeof item !== 'object' || Array.isArray(item)) return item
    return Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
}
