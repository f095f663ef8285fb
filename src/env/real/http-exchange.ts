import type { Agent, ClientRequest, IncomingHttpHeaders } from 'node:http'
import type { Clock, Timer } from '../clock.ts'

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface HttpBounds {
  readonly clock: Clock
  /**
   * Milliseconds from when the request is given a connection, a new one or a kept one, to the end of the answer. The wait for one of
   * a limited number does not count: it ends by the bounds of those before.
   */
  readonly timeoutMs: number
  /** Of the answer. */
  readonly bytesMax: number
}

/** Sends a request that was made, with its body, and takes the whole answer. Rejects with what broke it, or with the bound that it broke. */
export function exchange(
  asked: ClientRequest,
  body: string | null,
  { clock, timeoutMs, bytesMax }: HttpBounds,
): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>()
  let timer: Timer | null = null
  const fail = (error: Error): void => {
    timer?.cancel()
    reject(error)
  }
  asked.once('socket', () => {
    timer = clock.after(timeoutMs, () =>
      asked.destroy(new Error(`no answer within ${timeoutMs} ms`)),
    )
  })
  asked.once('error', fail)
  asked.once('response', response => {
    const parts: Buffer[] = []
    let bytes = 0
    response.on('data', (part: Buffer) => {
      bytes += part.length
      if (bytes > bytesMax) asked.destroy(new Error(`an answer of over ${bytes} bytes`))
      else parts.push(part)
    })
    response.once('error', fail)
    response.once('end', () => {
      timer?.cancel()
      const { statusCode: status = 0, headers } = response
      resolve({ status, headers, text: Buffer.concat(parts).toString() })
    })
  })
  asked.end(body ?? undefined)
  return promise
}

/** What else of the kept connections nobody uses: after one has failed, they may be as dead, and would be tried one by one. */
export function closeIdle({ freeSockets }: Agent): void {
  for (const sockets of Object.values(freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy()
  }
}
