import { posix } from 'node:path'
import { circlesOf } from './circles.ts'
import { fronts, layers } from './layers.ts'
import { isTest, isUnder, lineAt, type Source } from './sources.ts'

interface Import {
  readonly what: string
  readonly line: number
}

/** Statements at a line's start, and dynamic imports of a literal. */
const importing =
  /(?:^|\n)[ \t]*(?:import|export)\b(?:[^'"`;]*?\bfrom)?\s*['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]/g

/** What `source` imports, types too: files of ours as paths from the root, modules by their names. */
export function importsOf(source: Source): Import[] {
  return [...source.text.matchAll(importing)].map(match => {
    const what = match[1] ?? match[2]!
    return {
      what: what.startsWith('.') ? posix.join(posix.dirname(source.path), what) : what,
      line: lineAt(source.text, match.index + match[0].length),
    }
  })
}

/** The row of the table for `path`, or undefined where the table has none. */
function layerOf(path: string): string | undefined {
  return Object.keys(layers)
    .filter(place => isUnder(path, place))
    .toSorted((a, b) => b.length - a.length)[0]
}

/** One line for each import that the table does not allow, and for each source that it does not know. */
export function brokenLayers(sources: readonly Source[]): string[] {
  return sources.flatMap(source => {
    const { path } = source
    if (isUnder(path, 'sim')) return complain(source, what => isUnder(what, 'src/env/real'))
    if (!isUnder(path, 'src')) return []
    if (isTest(path)) return complain(source, what => isUnder(what, 'src/broker/main.ts'))
    const place = layerOf(path)
    if (place === undefined) return [`${path}: no row in the table of layers`]
    return complain(source, what => !mayImport(place, what))
  })
}

function complain(source: Source, isForbidden: (what: string) => boolean): string[] {
  return importsOf(source)
    .filter(({ what }) => isForbidden(what))
    .map(({ what, line }) => `${source.path}:${line}: may not import ${what}`)
}

function mayImport(place: string, what: string): boolean {
  const { ours, modules = [] } = layers[place]!
  if (!what.endsWith('.ts')) {
    return modules.some(
      module => module === what || (module === 'node:' && what.startsWith(module)),
    )
  }
  if (isTest(what) || fronts.some(front => isUnder(what, front))) return false
  const layer = layerOf(what)
  return layer === place || ours.some(right => right === layer || reaches(right, what))
}

/** Whether a right that is no row of the table, but a file or folder in one, or all of `src`, holds `what`. */
function reaches(right: string, what: string): boolean {
  return !(right in layers) && isUnder(what, right)
}

/** Every circle of imports, as one line that names its files; types count, since a reader follows them too. */
export function circles(sources: readonly Source[]): string[] {
  const known = new Set(sources.map(({ path }) => path))
  const targets = new Map(
    sources.map(source => [
      source.path,
      importsOf(source).flatMap(({ what }) => (known.has(what) ? [what] : [])),
    ]),
  )
  return circlesOf(targets)
}
