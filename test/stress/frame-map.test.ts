import { describe, expect, test } from 'vitest'
import { concat } from '../../src/lib/bytes.ts'
import { Prng } from '../../src/lib/prng.ts'
import { requestFrame } from '../../src/broker/wire/frame.ts'
import { apis } from '../../src/broker/wire/messages/index.ts'
import { mapFrame, numberBytes } from './frame-map.ts'
import { RequestMaker } from './request-maker.ts'

const header = { correlationId: 7, clientId: 'map' }

describe.each(apis.map(api => [api.name, api] as const))('a map of %s', (_, api) => {
  const [min, max] = api.versions
  test.each(Array.from({ length: max - min + 1 }, (_unused, at) => min + at))(
    'v%d has the bytes that the broker would send, and each number where it says',
    version => {
      const maker = new RequestMaker(new Prng(version))
      for (let count = 0; count < 20; count++) {
        // A null where this version has none is the map's to send and the broker's encoder's to refuse.
        const value = withoutNulls(maker.request(api, count % 3)) as never
        const { bytes, spans } = mapFrame(api, version, header, value)
        const sent = concat(requestFrame(api, version, header, value) as Uint8Array[])
        expect(Buffer.compare(bytes, sent)).toBe(0)
        expect(spans.length).toBeGreaterThan(0)
        for (const { at, size, form, value: number } of spans) {
          if (form === 'uvarint') continue
          expect([...bytes.subarray(at, at + size)]).toEqual([...numberBytes(form, BigInt(number))])
        }
      }
    },
  )
})

function withoutNulls(value: unknown): unknown {
  if (value === null) return ''
  if (value instanceof Uint8Array || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(withoutNulls)
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, withoutNulls(of)]))
}
