import type { SimNetwork } from '../../sim/network.ts'
import { decodeRequest } from '../../src/broker/wire/codec.ts'
import type { Api, Draft, Fields, Infer } from '../../src/broker/wire/field.ts'
import { readRequestHeader, responseFrame } from '../../src/broker/wire/frame.ts'
import { apis, apiVersions } from '../../src/broker/wire/messages/index.ts'
import { UnsupportedVersionError } from '../../src/broker/wire/wire-error.ts'
import type { CloseReason, Connection, OutPart } from '../../src/env/env.ts'

/** A request as a scripted broker heard it. */
export interface Heard {
  /** Undefined where our tables do not know the API or the version. */
  readonly api: Api | undefined
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  readonly value: unknown
  readonly connection: Connection
}

/** A broker on a simulated network that answers as a test tells it: at once by `act`, or later by `answer`. */
export class ScriptedBroker {
  readonly host: string
  readonly port: number
  readonly heard: Heard[] = []
  readonly connections: Connection[] = []
  readonly ends: CloseReason[] = []
  /** What to do with a request; ApiVersions is answered where this is not told to. */
  act: (heard: Heard) => void = heard => this.answerVersions(heard)
  isRefusing = false

  private constructor(host: string, port: number) {
    this.host = host
    this.port = port
  }

  static async start(
    network: SimNetwork,
    { host = 'broker', port = 9092 }: { readonly host?: string; readonly port?: number } = {},
  ): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(host, port)
    await network.listen(
      { host, port, frameSizeMax: 2 ** 20, requestMemoryMax: 2 ** 24 },
      {
        acceptFailed: () => {},
        accepted: connection => (broker.isRefusing ? null : broker.#serve(connection)),
      },
    )
    return broker
  }

  /** The last request of an API, with its type. */
  last<Request extends Fields>(api: Api<Request>): Heard & { readonly value: Infer<Request> } {
    const found = this.heard.findLast(({ apiKey }) => apiKey === api.key)
    if (found === undefined) throw new Error(`no ${api.name} came`)
    return found as Heard & { readonly value: Infer<Request> }
  }

  answer<Response extends Fields>(
    { correlationId, apiVersion, connection }: Heard,
    api: Api<Fields, Response>,
    value: Draft<Response>,
  ): void {
    connection.send(responseFrame(api, apiVersion, correlationId, value) as OutPart[])
  }

  /** Tells the versions of our tables, or others. */
  answerVersions(
    heard: Heard,
    told: readonly { readonly key: number; readonly versions: readonly [number, number] }[] = apis,
  ): void {
    if (heard.api !== apiVersions) return
    this.answer(heard, apiVersions, {
      errorCode: 0,
      apiKeys: told.map(({ key, versions }) => {
        return { apiKey: key, minVersion: versions[0], maxVersion: versions[1] }
      }),
      throttleTimeMs: 0,
    })
  }

  #serve(connection: Connection) {
    this.connections.push(connection)
    return {
      frames: (frames: readonly { readonly bytes: Uint8Array; release(): void }[]) => {
        for (const frame of frames) {
          const heard = hear(frame.bytes, connection)
          frame.release()
          this.heard.push(heard)
          this.act(heard)
        }
      },
      drained: () => {},
      closed: (reason: CloseReason) => void this.ends.push(reason),
    }
  }
}

function hear(bytes: Uint8Array, connection: Connection): Heard {
  try {
    const { bodyAt, ...header } = readRequestHeader(bytes)
    const value = decodeRequest(header.api, header.apiVersion, Uint8Array.from(bytes), bodyAt)
    return { ...header, value, connection }
  } catch (error) {
    if (!(error instanceof UnsupportedVersionError)) throw error
    const { apiKey, apiVersion, correlationId, clientId } = error
    const header = { apiKey, apiVersion, correlationId, clientId }
    return { ...header, api: undefined, value: null, connection }
  }
}
