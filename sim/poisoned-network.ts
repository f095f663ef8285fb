import type { ConnectionEvents, Frame, Network } from '../src/env/network.ts'
import { changed } from './changed.ts'

/** What stands where a frame stood. */
export const poison = 0xdb

/**
 * `network`, but a frame's bytes are overwritten as it is released: whoever still reads or sends them is found
 * out, as glibc does for whoever reads memory that was freed (mallopt(3), M_PERTURB).
 */
export function poisonedNetwork<N extends Network>(network: N): N {
  const listen: Network['listen'] = (options, events) =>
    network.listen(options, {
      accepted: connection => {
        const heard = events.accepted(connection)
        return heard === null ? null : poisonedEvents(heard)
      },
      acceptFailed: code => events.acceptFailed(code),
    })
  const connect: Network['connect'] = (options, events) =>
    network.connect(options, poisonedEvents(events))
  return changed<Network>(network, { listen, connect }) as N
}

/** The same for one connection. */
export function poisonedEvents(events: ConnectionEvents): ConnectionEvents {
  return {
    frames: frames => events.frames(frames.map(frame => new PoisonedFrame(frame))),
    drained: () => events.drained(),
    closed: reason => events.closed(reason),
  }
}

class PoisonedFrame implements Frame {
  readonly bytes: Uint8Array
  readonly #frame: Frame
  #isReleased = false

  constructor(frame: Frame) {
    this.bytes = frame.bytes
    this.#frame = frame
  }

  release(): void {
    // Not a second time: the bytes may be another frame's by then.
    if (!this.#isReleased) this.bytes.fill(poison)
    this.#isReleased = true
    this.#frame.release()
  }
}
