import { expect, test } from 'vitest'
import type { Frame } from '../src/env/network.ts'
import { SimNetwork } from './network.ts'
import { poison, poisonedNetwork } from './poisoned-network.ts'

test('a frame is overwritten as it is released, and once', async () => {
  const network = new SimNetwork()
  const { promise: come, resolve } = Promise.withResolvers<readonly Frame[]>()
  const limits = { frameSizeMax: 100, requestMemoryMax: 1000 }
  await poisonedNetwork(network).listen(
    { host: '127.0.0.1', port: 9092, ...limits },
    {
      accepted: () => ({ frames: resolve, drained: () => {}, closed: () => {} }),
      acceptFailed: () => {},
    },
  )
  const client = network.wires.connect('127.0.0.1', 9092)
  client.write(
    Uint8Array.of(0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 8, 9, 9, 9, 9, 9, 9, 9, 9),
  )
  const [first, second] = await come
  expect(first!.bytes).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))
  first!.release()
  expect(first!.bytes).toEqual(new Uint8Array(8).fill(poison))
  expect(second!.bytes).toEqual(new Uint8Array(8).fill(9))
  expect(() => first!.release()).toThrow('released once')
})
