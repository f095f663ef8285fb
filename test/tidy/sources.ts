import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A file of the repository as the rules see it. Planted ones have the same shape. */
export interface Source {
  /** From the root of the repository, with slashes: `src/broker/log/log.ts`. */
  readonly path: string
  readonly text: string
}

const notOurs = new Set(['node_modules', '.git', 'dist', 'data', '.cache', 'build', 'coverage'])

/** Every file under `folders` whose name ends with one of `endings`, sorted by path. */
export function readSources(
  root: string,
  folders: readonly string[],
  endings: readonly string[],
): Source[] {
  return folders
    .flatMap(folder => namesUnder(root, folder))
    .filter(path => endings.some(ending => path.endsWith(ending)))
    .toSorted()
    .map(path => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

function namesUnder(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return notOurs.has(entry.name) ? [] : namesUnder(root, path)
    return entry.isFile() ? [path] : []
  })
}

/** Whether `path` is `place` or lies under it. */
export function isUnder(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`)
}

/** A test, or a suite that tests share (`conformance.ts`): never part of a running broker. */
export function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.endsWith('/conformance.ts') || isUnder(path, 'test')
}

export function lineCount(source: Source): number {
  return source.text.split('\n').length - (source.text.endsWith('\n') ? 1 : 0)
}

/** 1-based line of the character `at`. */
export function lineAt(text: string, at: number): number {
  return text.slice(0, at).split('\n').length
}
