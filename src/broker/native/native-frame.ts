import { assert } from '../../lib/assert.ts'
import type { Frame } from '../../env/network.ts'
import type { Binding } from './binding.ts'

/** A frame inside a slab of the addon, which is used again when its last frame was released. */
export class NativeFrame implements Frame {
  readonly bytes: Uint8Array
  readonly #binding: Binding
  readonly #slab: number
  readonly #length: number
  #isReleased = false

  constructor(binding: Binding, slab: number, bytes: Uint8Array) {
    this.#binding = binding
    this.#slab = slab
    this.#length = bytes.length
    this.bytes = bytes
  }

  release(): void {
    assert(!this.#isReleased, 'a frame is released once')
    this.#isReleased = true
    this.#binding.frameRelease(this.#slab, this.#length)
  }
}

/** The frames of one poll, as the addon noted them. */
export function takeFrames(binding: Binding, count: number): NativeFrame[] {
  const { frames: notes, slabs } = binding
  const frames: NativeFrame[] = []
  for (let at = 0; at < 3 * count; at += 3) {
    const slab = notes[at]!
    const bytes = new Uint8Array(slabs[slab]!, notes[at + 1]!, notes[at + 2]!)
    frames.push(new NativeFrame(binding, slab, bytes))
  }
  return frames
}
