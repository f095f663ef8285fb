import { plantedBugs, type PlantedBug } from './bugs.ts'

/** Which bug a process has, by its name here; none where it is not set. */
export const plantedVariable = 'PLANTED_BUG'

/** A bug by its name. */
export function bugCalled(name: string): PlantedBug {
  const bug = plantedBugs[name]
  if (bug === undefined) throw new Error(`no planted bug is called ${name}`)
  return bug
}

/**
 * The source of a module as the bug has it; as it is where the bug lies elsewhere. What the bug replaces must be there
 * once: where the product has changed, so must the bug.
 */
export function planted(bug: PlantedBug, path: string, source: string): string {
  if (!path.endsWith(`/${bug.file}`)) return source
  const once = replaced(bug.file, source, bug)
  return bug.also === undefined ? once : replaced(bug.file, once, bug.also)
}

function replaced(
  file: string,
  source: string,
  { from, to }: Pick<PlantedBug, 'from' | 'to'>,
): string {
  const parts = source.split(from)
  if (parts.length === 2) return parts.join(to)
  throw new Error(`${file} has ${parts.length - 1} times, and not once:\n${from}`)
}
