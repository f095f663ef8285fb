/**
 * What lets a connection in, and how far its requests may fill memory: policy, once, for every network. The addon is
 * given these numbers and has none of its own. How many connections there may be is the server's (ConnectionLimits).
 */

/** Connections that the kernel completes before they are accepted: listen(2). */
export const acceptBacklog = 1024

/** A listener that could not accept (EMFILE, ENFILE, ENOMEM ...) tries again after this: it would fail at once. */
export const acceptPauseMs = 100

/** A peer that was silent for so long is asked whether it lives (TCP_KEEPIDLE). */
export const keepAliveSeconds = 60

/** No request is smaller: API key, version and correlation id. */
export const requestSizeMin = 8

/** No answer is smaller: the correlation id. */
export const answerSizeMin = 4

/**
 * Up to which use of memory somebody may receive, in bytes. The addon follows all of them (docs/decisions/0006);
 * over Node a network stops all readers at the limit itself.
 */
export interface RequestMemoryBounds {
  /** Up to here nobody waits for his first bytes. */
  readonly any: number
  /** Above that a small request goes on while all small ones together use no more. */
  readonly small: number
  /** A large request begins, or goes on, where its rest fits below: so a request of this size always fits. */
  readonly large: number
  /** And one that was let in, where it fits below this: the rest is for small ones. */
  readonly begun: number
  /** Free buffers are kept for the next requests up to this. */
  readonly kept: number
  /** Where more than this is in use none are, nor is anything taken to be ready. */
  readonly short: number
}

/** The bounds for a limit of `bytesMax`, a `ListenOptions.requestMemoryMax`. */
export function requestMemoryBounds(bytesMax: number): RequestMemoryBounds {
  return {
    any: Math.floor(bytesMax / 2),
    small: Math.floor(bytesMax / 8),
    large: Math.floor((bytesMax * 3) / 4),
    begun: Math.floor((bytesMax * 7) / 8),
    kept: Math.floor(bytesMax / 8),
    short: Math.floor((bytesMax * 3) / 4),
  }
}

/** The limit while nobody listens. Who only connects waits for nobody: it says what is kept between answers. */
export const requestMemoryUnlistened = 64 * 1024 * 1024
