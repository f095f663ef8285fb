import { InvariantError } from '../../lib/assert.ts'
import type { SendStream } from '../../env/network.ts'
import type { Binding } from './binding.ts'

/** Counters that the addon raises where it sends. */
export class NativeStream implements SendStream {
  readonly #binding: Binding
  readonly #measuresDevices: boolean
  readonly #handle: number
  #isOpen = true

  constructor(binding: Binding, measuresDevices: boolean) {
    this.#binding = binding
    this.#measuresDevices = measuresDevices
    this.#handle = binding.streamOpen()
    if (this.#handle < 0) throw new InvariantError('a stream can be opened')
  }

  /** The addon's name for it, for the send queue. */
  get handle(): number {
    if (!this.#isOpen) throw new InvariantError('a closed stream is not used')
    return this.#handle
  }

  sentBytes(): number {
    this.#binding.streamRead(this.handle)
    return this.#binding.answer[0]!
  }

  hitBytes(): number | null {
    if (!this.#measuresDevices) return null
    this.#binding.streamRead(this.handle)
    return this.#binding.answer[1]!
  }

  isSettled(): boolean {
    this.#binding.streamRead(this.handle)
    return this.#binding.answer[2] === 0
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#binding.streamClose(this.#handle)
  }
}
