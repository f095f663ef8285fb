import { createServer, type Server } from 'node:http'
import { BrokerError } from '../../../../src/operator/brokers/broker-error.ts'
import type { Brokers, BrokerStatus } from '../../../../src/operator/brokers/brokers.ts'

/** Values that JSON does not know, as it knows them. */
function pack(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (inner instanceof Map) return { isMap: [...inner] }
    return typeof inner === 'bigint' ? { isBigInt: String(inner) } : inner
  })
}

function unpack(text: string): unknown {
  return JSON.parse(text, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null) return inner
    if ('isMap' in inner) return new Map(inner.isMap as [unknown, unknown][])
    return 'isBigInt' in inner ? BigInt(inner.isBigInt as string) : inner
  })
}

type Answer = { readonly value: unknown } | { readonly failure: string }

/** Lets another process ask `brokers`, which live in this one, so that its memory is its own. */
export async function serveBrokers(brokers: Brokers): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    void (async () => {
      let text = ''
      for await (const chunk of request) text += String(chunk)
      const { method, args } = unpack(text) as { method: keyof Brokers; args: unknown[] }
      let answer: Answer
      try {
        const ask = brokers[method] as (...args: unknown[]) => Promise<unknown>
        answer = { value: await ask.apply(brokers, args) }
      } catch (error) {
        answer = { failure: error instanceof Error ? error.message : String(error) }
      }
      response.end(pack(answer))
    })()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { url: `http://127.0.0.1:${port}`, server }
}

/**
 * Brokers that live in the process at `url`. What a broker says of itself when it is ready, and of its settings, it says once:
 * a machine that is busy elsewhere would make it silent, which is another test.
 */
export function remoteBrokers(url: string): Brokers {
  const ask = async (method: string, args: readonly unknown[]): Promise<unknown> => {
    const response = await fetch(url, { method: 'POST', body: pack({ method, args }) })
    const answer = unpack(await response.text()) as Answer
    if ('failure' in answer) throw new BrokerError('unreachable', answer.failure)
    return answer.value
  }
  const known = new Map<string, unknown>()
  const once = async (method: string, args: readonly unknown[]): Promise<unknown> => {
    const key = pack({ method, args })
    if (known.has(key)) return known.get(key)
    const value = await ask(method, args)
    if (method !== 'status' || (value as BrokerStatus).isReady) known.set(key, value)
    return value
  }
  return new Proxy({} as Brokers, {
    get: (_, method: keyof Brokers) => {
      if (method === 'close') return () => {}
      return (...args: unknown[]) => {
        const [, of] = args as [unknown, readonly { readonly kind: string }[] | undefined]
        const isOfBroker = method === 'describeConfigs' && of?.[0]?.kind === 'broker'
        return method === 'status' || isOfBroker ? once(method, args) : ask(method, args)
      }
    },
  })
}
