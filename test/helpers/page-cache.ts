import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { loadNative } from '../../src/broker/native/load.ts'
import { eventually } from './eventually.ts'

/**
 * Drops the segments below `folder` from the page cache: what is dirty is written back first, then the kernel is
 * asked to forget, until it has: it keeps a page that was sent as long as the packet is not freed (`freePackets`).
 * `share` of each file from its end, 1 for all of it.
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
      const cachedBytes = file.residency(from, size - from)?.cachedBytes ?? 0
      if (cachedBytes > 0) freePackets()
      return cachedBytes
    }
    await eventually(`${name} is not cached`, drop, cachedBytes => cachedBytes === 0)
    file.close()
  }
}

/** How much of the bytes of the segments below `folder` is in the page cache, 0 to 1. */
export function cachedShare(folder: string): number {
  const load = loadNative()
  if (!load.ok) throw new Error(`residency needs the addon: ${load.reason}`)
  let [cached, whole] = [0, 0]
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.log')) continue
    const file = load.native.disk.open(join(folder, name), 'read')
    cached += file.residency(0, file.size())?.cachedBytes ?? 0
    whole += file.size()
    file.close()
  }
  // The last page of a file is counted whole.
  return whole === 0 ? 1 : Math.min(1, cached / whole)
}

/**
 * A packet that was received on another processor than it was sent on is freed there when the next one passes
 * through (`skb_attempt_defer_free` of Linux): on a quiet machine that may take minutes. So one passes, on each that
 * we may use.
 */
function freePackets(): void {
  for (const cpu of cpus().keys()) {
    spawnSync('taskset', ['-c', String(cpu), 'bash', '-c', 'echo >/dev/udp/127.0.0.1/9'])
  }
}
