import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { loadNative } from '../../src/broker/native/load.ts'
import { eventually } from './eventually.ts'

/**
 * Drops the segments below `folder` from the page cache: what is dirty is written back first, then the kernel is
 * asked to forget, until it has: it keeps a page that was sent as long as the packet is not freed. `share` of each
 * file from its end, 1 for all of it.
 */
export async function evict(folder: string, share = 1): Promise<void> {
  const load = loadNative()
  if (!load.ok) throw new Error(`eviction needs the addon: ${load.reason}`)
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.log')) continue
    const file = load.native.disk.open(join(folder, name), 'write')
    await file.sync()
    const size = file.size()
    const from = Math.floor((size * (1 - share)) / 2 ** 21) * 2 ** 21
    const drop = (): number => {
      file.dropCache(from, size - from)
      return file.residency(from, size - from)?.cachedBytes ?? 0
    }
    await eventually(`${name} is not cached`, drop, cachedBytes => cachedBytes === 0)
    file.close()
  }
}
