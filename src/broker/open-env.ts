import type { Env } from '../env/env.ts'
import { realClock } from '../env/real/clock.ts'
import { NodeDisk } from '../env/real/disk.ts'
import { NodeNetwork } from '../env/real/network.ts'
import { realRandom } from '../env/real/random.ts'
import { crc32c } from '../lib/crc32c.ts'
import { walkRecords } from './log/batch/record-walk.ts'
import { loadNative } from './native/load.ts'

/** The data path that was asked for is not there. */
export class DataPathError extends Error {
  override readonly name = 'DataPathError'
}

export interface OpenedEnv {
  readonly env: Env
  /** `native`, or `node` for the TypeScript fallback. */
  readonly dataPath: 'native' | 'node'
  /** How CRC-32C is computed: `sse4.2`, `armv8`, `table` or `javascript`. */
  readonly crcMethod: string
  /** Why the addon is not at work; null where it is. */
  readonly fallbackReason: string | null
}

/**
 * The real world, over the addon or over Node itself.
 * @throws DataPathError where `wanted` is `native` and the addon cannot be loaded
 */
export function openEnv(wanted: 'auto' | 'native' | 'node'): OpenedEnv {
  const shared = { clock: realClock, random: realRandom }
  const load = wanted === 'node' ? ({ ok: false, reason: 'data.path=node' } as const) : loadNative()
  if (load.ok) {
    const { disk, network, crc32c: fast, walkRecords: fastWalk, crc32cMethod } = load.native
    return {
      env: { ...shared, disk, network, crc32c: fast, walkRecords: fastWalk },
      dataPath: 'native',
      crcMethod: crc32cMethod,
      fallbackReason: null,
    }
  }
  if (wanted === 'native') {
    throw new DataPathError(
      `data.path=native, but ${load.reason}: install a C compiler, or set data.path=auto`,
    )
  }
  return {
    env: { ...shared, disk: new NodeDisk(), network: new NodeNetwork(), crc32c, walkRecords },
    dataPath: 'node',
    crcMethod: 'javascript',
    fallbackReason: load.reason,
  }
}
