/** A connection as the memory gate sees it. */
export interface GatedReader {
  /** Bytes that its begun frame has, and lacks; both 0 between frames. */
  readonly partialBytes: number
  readonly missingBytes: number
  /** Closed gate: it must not read. */
  setGate(isClosed: boolean): void
}

/** One limit, and the connections that it holds. */
interface Gate {
  readonly bytesMax: number
  readonly readers: Set<GatedReader>
  isClosed: boolean
  /** Reads though the gate is closed: see `RequestMemory`. */
  pass: GatedReader | null
}

/**
 * Bytes of requests in memory, over all connections of a network. Above a listener's limit its connections do
 * not read. When *only* begun frames hold the memory nobody could ever release any: then the one that lacks
 * least may read on until it is complete, so memory stays below the limit plus one frame.
 */
export class RequestMemory {
  readonly #gates = new Map<number, Gate>()
  #frameBytes = 0
  #partialBytes = 0
  /** Times that a connection was stopped from reading. */
  waits = 0

  get bytes(): number {
    return this.#frameBytes + this.#partialBytes
  }

  join(reader: GatedReader, bytesMax: number): void {
    const gate = this.#gates.get(bytesMax) ?? this.#addGate(bytesMax)
    gate.readers.add(reader)
    if (gate.isClosed) this.#stop(reader)
  }

  leave(reader: GatedReader, bytesMax: number): void {
    const gate = this.#gates.get(bytesMax)
    gate?.readers.delete(reader)
    if (gate?.pass === reader) gate.pass = null
    this.#update()
  }

  /** Raises or lowers the two sums: complete frames that are not released, and begun ones. */
  change(frameBytes: number, partialBytes: number): void {
    this.#frameBytes += frameBytes
    this.#partialBytes += partialBytes
    this.#update()
  }

  #addGate(bytesMax: number): Gate {
    const gate = {
      bytesMax,
      readers: new Set<GatedReader>(),
      isClosed: this.bytes > bytesMax,
      pass: null,
    }
    this.#gates.set(bytesMax, gate)
    return gate
  }

  #update(): void {
    for (const gate of this.#gates.values()) {
      const isClosed = this.bytes > gate.bytesMax
      if (isClosed !== gate.isClosed) {
        gate.isClosed = isClosed
        gate.pass = null
        for (const reader of Array.from(gate.readers)) {
          if (isClosed) this.#stop(reader)
          else reader.setGate(false)
        }
      }
      if (isClosed) this.#updatePass(gate)
    }
  }

  #stop(reader: GatedReader): void {
    this.waits++
    reader.setGate(true)
  }

  #updatePass(gate: Gate): void {
    if (this.#frameBytes > 0) {
      gate.pass?.setGate(true)
      gate.pass = null
    } else if (gate.pass === null) {
      gate.pass = leastMissing(gate.readers)
      gate.pass?.setGate(false)
    }
  }
}

function leastMissing(readers: ReadonlySet<GatedReader>): GatedReader | null {
  let least: GatedReader | null = null
  for (const reader of readers) {
    if (reader.partialBytes === 0) continue
    if (least === null || reader.missingBytes < least.missingBytes) least = reader
  }
  return least
}
