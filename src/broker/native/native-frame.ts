import { assert } from '../../lib/assert.ts'
import type { Frame } from '../../env/network.ts'
import type { Binding } from './binding.ts'

/** A frame inside a slab of the addon, which is used again when its last frame was released. */
export class NativeFrame implements Frame {
  readonly bytes: Uint8Array
  readonly #binding: Binding
  readonly #slab: number
  #state: 'held' | 'released' | 'abandoned' = 'held'

  constructor(binding: Binding, slab: number, bytes: Uint8Array) {
    this.#binding = binding
    this.#slab = slab
    this.bytes = bytes
  }

  release(): void {
    assert(this.#state !== 'released', 'a frame is released once')
    if (this.#state === 'held') this.#binding.frameRelease(this.#slab, 0)
    this.#state = 'released'
  }

  /**
   * Whoever threw does not release, and others may have kept it: the bytes stay valid for as long as somebody
   * reads them, but they are not counted any more.
   */
  abandon(): void {
    if (this.#state !== 'held') return
    this.#binding.frameRelease(this.#slab, 1)
    this.#state = 'abandoned'
  }
}

/** The frames of one poll, as the addon noted them. */
export function takeFrames(binding: Binding, count: number): NativeFrame[] {
  const { frames: notes, slabs, constants } = binding
  const { frameRowLength } = constants
  const frames: NativeFrame[] = []
  for (let at = 0; at < frameRowLength * count; at += frameRowLength) {
    const slab = notes[at]!
    const bytes = new Uint8Array(slabs[slab]!, notes[at + 1]!, notes[at + 2]!)
    frames.push(new NativeFrame(binding, slab, bytes))
  }
  return frames
}
