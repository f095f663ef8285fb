import { DecompressError } from './decompress-error.ts'
import { type WorkMeter } from './work-meter.ts'

/** Collects what a codec gives block by block, and stops it at the limit. */
export class Output {
  readonly #bytesMax: number
  readonly #parts: Uint8Array[] = []
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytesLeft(): number {
    return this.#bytesMax - this.#bytes
  }

  /** @throws DecompressError */
  add(part: Uint8Array): void {
    if (part.length > this.bytesLeft) throw DecompressError.tooLarge(this.#bytesMax)
    this.#bytes += part.length
    this.#parts.push(part)
  }

  /** Everything in one piece; this is empty then. Others have their turn after every 1 MiB copied. */
  async whole(meter: WorkMeter): Promise<Uint8Array> {
    const parts = this.#parts.splice(0)
    if (parts.length === 1) return parts[0]!
    const whole = Buffer.allocUnsafeSlow(this.#bytes)
    await meter.run(joined(parts, whole, meter))
    return whole
  }
}

/** No part is larger than what is copied in one turn. Each is let go of when it was copied. */
function* joined(
  parts: Uint8Array[],
  whole: Uint8Array,
  meter: WorkMeter,
): Generator<void, void, void> {
  let at = 0
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    whole.set(part, at)
    at += part.length
    meter.bytesLeft -= part.length
    if (meter.bytesLeft < 0) yield
  }
}
