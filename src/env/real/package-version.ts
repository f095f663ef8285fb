import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * The version in the package.json that `folder` belongs to: the nearest one above it with a version, whether the
 * sources run or what `npm run build` made of them. `unknown` where there is none.
 */
export function packageVersion(folder: string): string {
  for (let at = folder; at !== dirname(at); at = dirname(at)) {
    const version = versionIn(join(at, 'package.json'))
    if (version !== null) return version
  }
  return 'unknown'
}

function versionIn(file: string): string | null {
  try {
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version?: unknown }
    return typeof version === 'string' ? version : null
  } catch {
    return null
  }
}
