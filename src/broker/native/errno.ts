import { constants } from 'node:os'

/** What Linux gives and Node does not list, and which of two names of one number is meant. */
const chosen: readonly (readonly [number, string])[] = [
  [11, 'EAGAIN'],
  [35, 'EDEADLK'],
  [95, 'ENOTSUP'],
  [117, 'EUCLEAN'],
  [121, 'EREMOTEIO'],
]

const names = new Map<number, string>([
  ...Object.entries(constants.errno).map(([name, number]) => [number, name] as const),
  ...chosen,
])

/** The name of an errno that the addon answered, negative or positive. */
export function errnoName(answer: number): string {
  const errno = Math.abs(answer)
  return names.get(errno) ?? `E${errno}`
}
