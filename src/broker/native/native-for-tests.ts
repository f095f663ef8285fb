import { assert } from '../../lib/assert.ts'
import { loadNative } from './load.ts'
import type { Native } from './load.ts'

/** The addon, for tests, which do not pass without it. */
export function nativeForTests(): { readonly native: Native } {
  const load = loadNative()
  assert(load.ok, load.ok ? '' : `the addon is there: ${load.reason}`)
  return load
}
