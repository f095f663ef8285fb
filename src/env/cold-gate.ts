/**
 * Says whose ranges leave next of those that a device may have to deliver (`FileRange.cold`). A job is what one connection sends of them without
 * a break; a connection has one at a time, waiting or under way.
 */
export interface ColdGate {
  /** A job waits for its turn. */
  wait(connectionId: number, job: WaitingJob): void
  /** One that went has ended, and had sent `bytes`; `next` waits then, if there is more. */
  end(connectionId: number, bytes: number, next: WaitingJob | null): void
  /** The connection is closed, whatever its job did. */
  leave(connectionId: number): void
}

export interface WaitingJob {
  /** What is there to be sent. */
  readonly bytes: number
  /** Called once, at once or later, unless the connection leaves before: it sends about `bytesMax`, no more. */
  go(bytesMax: number): void
}
