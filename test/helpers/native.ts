import { assert } from '../../src/lib/assert.ts'
import { loadNative } from '../../src/broker/native/load.ts'
import type { Native } from '../../src/broker/native/load.ts'

/** The addon, for tests, which do not pass without it. */
export function nativeForTests(): { readonly native: Native } {
  const load = loadNative()
  assert(load.ok, load.ok ? '' : `the addon is there: ${load.reason}`)
  return load
}
