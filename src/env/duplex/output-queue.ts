import type { Duplex } from 'node:stream'
import type { ColdGate } from '../cold-gate.ts'
import { isFileRange, type FileRange, type OutPart, type SendStream } from '../network.ts'

/** A connection's place at a gate. */
export interface ColdPlace {
  readonly gate: ColdGate
  readonly connectionId: number
}

export interface OutputListener {
  /** Bytes left the process; `stream` is that of the file range they came from. */
  sent(bytes: number, stream: SendStream | null): void
  /** Everything queued has left, after a `send` that could not be taken at once. */
  drained(): void
  /** Everything queued has left, after `end`. */
  ended(): void
  /** A file has fewer bytes than its range, or cannot be read: what was promised cannot be sent. */
  failed(detail: string): void
}

/** Bytes that were given to the stream and not yet taken by the kernel: the read-ahead of file ranges. */
const aheadBytesMax = 1024 * 1024
const readBytes = 256 * 1024

type Item =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'range'; readonly range: FileRange; doneBytes: number; release(): void }

/**
 * Everything that leaves one connection, in the order in which it was sent: one FIFO of bytes and file ranges.
 * A range is read in pieces, one at a time, when what is before it has been given to the stream.
 */
export class OutputQueue {
  readonly #duplex: Duplex
  readonly #listener: OutputListener
  readonly #cold: ColdPlace | null
  readonly #items: Item[] = []
  /** Bytes of `#items` that were not given to the stream. */
  #waitingBytes = 0
  #isReading = false
  #isEnding = false
  #isDropped = false
  #owesDrained = false

  /** `cold`: where cold ranges wait, each piece by itself; null where they do not. */
  constructor(duplex: Duplex, listener: OutputListener, cold: ColdPlace | null = null) {
    this.#duplex = duplex
    this.#listener = listener
    this.#cold = cold
  }

  get queuedBytes(): number {
    return this.#isDropped ? 0 : this.#waitingBytes + this.#duplex.writableLength
  }

  send(parts: readonly OutPart[]): void {
    if (this.#isDropped || this.#isEnding) return
    for (const part of parts) {
      if (part.length === 0) continue
      this.#waitingBytes += part.length
      if (isFileRange(part)) {
        this.#items.push({ kind: 'range', range: part, doneBytes: 0, release: part.file.hold() })
      } else {
        this.#items.push({ kind: 'bytes', bytes: part })
      }
    }
    this.#pump()
    if (this.queuedBytes > 0) this.#owesDrained = true
  }

  /** Takes nothing more, and tells `ended` when what is queued has left. */
  end(): void {
    if (this.#isEnding) return
    this.#isEnding = true
    this.#tellEmpty()
  }

  /** Forgets what is queued. */
  drop(): void {
    if (!this.#isDropped) this.#cold?.gate.leave(this.#cold.connectionId)
    this.#isDropped = true
    for (const item of this.#items) if (item.kind === 'range') item.release()
    this.#items.length = 0
    this.#waitingBytes = 0
  }

  /** Gives the stream what fits; goes on by itself whenever the kernel took something or a read ended. */
  #pump(): void {
    while (!this.#isReading && !this.#isDropped) {
      const item = this.#items[0]
      const aheadBytes = this.#duplex.writableLength
      if (item === undefined) return
      if (item.kind === 'bytes') {
        if (aheadBytes >= aheadBytesMax) return
        this.#items.shift()
        this.#write(item.bytes, null)
      } else {
        if (aheadBytes + readBytes > aheadBytesMax) return
        this.#read(item)
      }
    }
  }

  #write(bytes: Uint8Array, stream: SendStream | null): void {
    this.#waitingBytes -= bytes.length
    this.#duplex.write(bytes, error => {
      if (error || this.#isDropped) return
      this.#listener.sent(bytes.length, stream)
      this.#pump()
      this.#tellEmpty()
    })
  }

  #read(item: Item & { kind: 'range' }): void {
    this.#isReading = true
    const bytes = Math.min(readBytes, item.range.length - item.doneBytes)
    if (this.#cold === null || !item.range.cold) return this.#readNow(item, bytes, () => {})
    const { gate, connectionId } = this.#cold
    const go = (): void => {
      this.#readNow(item, bytes, () => {
        if (!this.#isDropped) gate.end(connectionId, bytes, null)
      })
    }
    gate.wait(connectionId, { bytes, go })
  }

  #readNow(item: Item & { kind: 'range' }, bytes: number, ended: () => void): void {
    const { file, position, length, stream } = item.range
    const target = new Uint8Array(bytes)
    const at = position + item.doneBytes
    const done = (count: number): void => {
      this.#isReading = false
      ended()
      if (this.#isDropped) return
      if (count < target.length) {
        this.#listener.failed(`${file.path} ends at ${at + count}, inside a range to be sent`)
        return
      }
      item.doneBytes += count
      if (item.doneBytes === length) {
        const { drop } = item.range
        // Whoever drops nothing has lost nothing.
        if (drop !== undefined) file.dropCacheAsync(drop.position, drop.length).catch(() => {})
        this.#items.shift()
        item.release()
      }
      this.#write(target, stream)
      this.#pump()
    }
    file.readAsync(at, target).then(done, error => {
      this.#isReading = false
      if (!this.#isDropped) this.#listener.failed(String(error))
    })
  }

  #tellEmpty(): void {
    if (this.queuedBytes > 0 || this.#isDropped) return
    if (this.#owesDrained) {
      this.#owesDrained = false
      this.#listener.drained()
    }
    if (this.#isEnding && this.queuedBytes === 0 && !this.#isDropped) this.#listener.ended()
  }
}
