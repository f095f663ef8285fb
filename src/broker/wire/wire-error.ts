/** The bytes are not what the protocol says: nothing can be answered, the connection must be closed (G7, G12). */
export class WireError extends Error {
  override readonly name: string = 'WireError'
}

/**
 * A request of an API or a version that is not understood. ApiVersions is answered all the same, by a version 0
 * body (G1); for any other the connection is closed (G7).
 */
export class UnsupportedVersionError extends WireError {
  override readonly name = 'UnsupportedVersionError'
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null

  constructor(header: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly correlationId: number
    readonly clientId: string | null
  }) {
    super(`API key ${header.apiKey} version ${header.apiVersion} is not supported`)
    this.apiKey = header.apiKey
    this.apiVersion = header.apiVersion
    this.correlationId = header.correlationId
    this.clientId = header.clientId
  }
}
