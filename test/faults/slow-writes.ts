import { setTimeout as sleep } from 'node:timers/promises'
import { NativeFile } from '../../src/broker/native/native-file.ts'
import type { DiskFile } from '../../src/env/disk.ts'
import { NodeFile } from '../../src/env/real/disk-file.ts'

/**
 * Loaded into a broker's process before it starts (`node --import`): its segments lie on a slow disk. Each eighth
 * write of the event loop makes it wait for more than 5 ms, so that threads write for the next second; what these write
 * goes in by halves, with a pause between, for a kill to fall into.
 */
function slowDown(prototype: DiskFile): void {
  const { write, writeAsync } = Object.getOwnPropertyDescriptors(prototype)
  let count = 0
  prototype.write = function (position, parts) {
    write.value!.call(this, position, parts)
    if (isSegment(this) && ++count % 8 === 0) waitMs(6)
  }
  prototype.writeAsync = async function (position, parts) {
    const bytes = Buffer.concat(parts)
    const half = isSegment(this) ? bytes.length >> 1 : bytes.length
    await writeAsync.value!.call(this, position, [bytes.subarray(0, half)])
    if (half === bytes.length) return
    await sleep(count++ % 15)
    await writeAsync.value!.call(this, position + half, [bytes.subarray(half)])
  }
}

function isSegment({ path }: DiskFile): boolean {
  return path.endsWith('.log')
}

/** As a write that the kernel holds up: nothing else runs meanwhile. */
function waitMs(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

slowDown(NativeFile.prototype)
slowDown(NodeFile.prototype)
