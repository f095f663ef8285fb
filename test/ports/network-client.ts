import type { Duplex } from 'node:stream'

/** The client's end of a connection, as tests speak of it. */
export class TestClient {
  readonly duplex: Duplex
  #chunks: Buffer[] = []
  #length = 0
  #isOver = false
  #wake: (() => void) | null = null

  constructor(duplex: Duplex) {
    this.duplex = duplex
    duplex.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#length += chunk.length
      this.#wake?.()
    })
    const over = (): void => {
      this.#isOver = true
      this.#wake?.()
    }
    duplex.on('error', over)
    duplex.on('end', over)
    duplex.on('close', over)
  }

  write(bytes: Uint8Array): void {
    this.duplex.write(bytes)
  }

  /** The first `length` bytes that were not taken yet; fails where the connection ends before. */
  async take(length: number): Promise<Buffer> {
    while (this.#length < length) {
      if (this.#isOver) throw new Error(`ended after ${this.#length} of ${length} bytes`)
      await new Promise<void>(resolve => (this.#wake = resolve))
    }
    const all = Buffer.concat(this.#chunks)
    this.#chunks = [all.subarray(length)]
    this.#length -= length
    return all.subarray(0, length)
  }

  /** The next frame's body. */
  async takeFrame(): Promise<Buffer> {
    const prefix = await this.take(4)
    return await this.take(prefix.readInt32BE(0))
  }

  /** Everything until the connection ended, orderly or not. */
  async takeRest(): Promise<Buffer> {
    while (!this.#isOver) await new Promise<void>(resolve => (this.#wake = resolve))
    return Buffer.concat(this.#chunks)
  }

  get bufferedBytes(): number {
    return this.#length
  }
}

/** `body` with its length before it. */
export function framed(body: Uint8Array): Buffer {
  const prefix = Buffer.alloc(4)
  prefix.writeInt32BE(body.length)
  return Buffer.concat([prefix, body])
}
