import type {
  CloseReason,
  Connection,
  ConnectionEvents,
  Frame,
  Listener,
  ListenOptions,
  Network,
} from '../../src/env/network.ts'

/** What a test wants of one accepted connection; what is left out echoes. */
export interface Behaviour {
  readonly frames?: (frames: readonly Frame[], connection: Connection) => void
  readonly drained?: (connection: Connection) => void
  readonly closed?: (reason: CloseReason) => void
}

/** A server for tests: it notes what it is told, and echoes frames unless told otherwise. */
export class TestServer {
  readonly connections: Connection[] = []
  readonly reasons = new Map<Connection, CloseReason>()
  drainedCount = 0
  frameCount = 0
  #listener: Listener | null = null
  #wake: (() => void)[] = []

  static async start(
    network: Network,
    behaviour: Behaviour | null = {},
    options: Partial<ListenOptions> = {},
  ): Promise<TestServer> {
    const server = new TestServer()
    const defaults = {
      host: '127.0.0.1',
      port: 0,
      frameSizeMax: 2 ** 24,
      requestMemoryMax: 2 ** 28,
    }
    server.#listener = await network.listen(
      { ...defaults, ...options },
      {
        accepted: connection => {
          server.connections.push(connection)
          server.#changed()
          return behaviour === null ? null : server.#eventsOf(connection, behaviour)
        },
        acceptFailed: () => {},
      },
    )
    return server
  }

  get listener(): Listener {
    return this.#listener!
  }

  /** Resolves when `isTrue`, which is looked at whenever something happened and, for counters, every turn. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      await new Promise<void>(resolve => {
        this.#wake.push(resolve)
        setTimeout(resolve, 5)
      })
    }
  }

  async reasonOf(connection: Connection): Promise<CloseReason> {
    await this.until(() => this.reasons.has(connection))
    return this.reasons.get(connection)!
  }

  async stop(): Promise<void> {
    for (const connection of this.connections) if (!this.reasons.has(connection)) connection.close()
    await this.until(() => this.connections.every(each => this.reasons.has(each) || this.isRefused))
    await this.listener.close()
  }

  /** Accepted connections get no events, so nobody is told of their end. */
  isRefused = false

  #eventsOf(connection: Connection, behaviour: Behaviour): ConnectionEvents {
    return {
      frames: frames => {
        this.frameCount += frames.length
        this.#changed()
        if (behaviour.frames !== undefined) behaviour.frames(frames, connection)
        else for (const frame of frames) echo(frame, connection)
      },
      drained: () => {
        this.drainedCount++
        this.#changed()
        behaviour.drained?.(connection)
      },
      closed: reason => {
        this.reasons.set(connection, reason)
        this.#changed()
        behaviour.closed?.(reason)
      },
    }
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}

/** Answers with the same frame, copied: the frame's bytes are not ours after its release. */
export function echo(frame: Frame, connection: Connection): void {
  const answer = Buffer.alloc(4 + frame.bytes.length)
  answer.writeInt32BE(frame.bytes.length)
  answer.set(frame.bytes, 4)
  connection.send([answer])
  frame.release()
}

/** Several turns of the event loop: whatever was about to happen on this machine has. */
export async function fewTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
}
