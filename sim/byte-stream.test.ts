import { expect, test } from 'vitest'
import { Prng } from '../src/lib/prng.ts'
import { SimSocket } from './byte-stream.ts'
import { SimClock } from './clock.ts'

/** A pair whose bytes move when `clock.settle` says so. */
function pair(seed?: number, windowBytes = 1000) {
  const clock = new SimClock({ turn: () => new Promise(resolve => setImmediate(resolve)) })
  const options = { later: (act: () => void) => clock.soon(act), windowBytes }
  const streams = SimSocket.pair(
    seed === undefined ? options : { ...options, prng: new Prng(seed) },
  )
  return { clock, near: streams[0], far: streams[1] }
}

test('bytes arrive in order, cut as the seed says, and the end after them', async () => {
  const runs = await Promise.all(
    [1, 1, 2].map(async seed => {
      const { clock, near, far } = pair(seed)
      const sizes: number[] = []
      const chunks: Buffer[] = []
      let isEnded = false
      far.on('data', (chunk: Buffer) => {
        sizes.push(chunk.length)
        chunks.push(chunk)
      })
      far.on('end', () => (isEnded = true))
      const sent = Buffer.from(new Prng(9).bytes(20_000))
      for (let at = 0; at < sent.length; at += 700) near.write(sent.subarray(at, at + 700))
      near.end()
      await clock.settle()
      expect(Buffer.concat(chunks).equals(sent)).toBe(true)
      expect(isEnded).toBe(true)
      return sizes
    }),
  )
  expect(runs[1]).toEqual(runs[0])
  expect(runs[2]).not.toEqual(runs[0])
  expect(runs[0]).toContain(1)
})

test('a reader that does not read holds the writer back', async () => {
  const { clock, near, far } = pair(3, 1000)
  let takenCount = 0
  for (let at = 0; at < 1000; at++) near.write(new Uint8Array(1000), () => takenCount++)
  await clock.settle()
  expect(takenCount).toBeLessThan(100)
  far.resume()
  await clock.settle()
  expect(takenCount).toBe(1000)
})

test('after a cut nobody learns anything', async () => {
  const { clock, near, far } = pair()
  const heard: string[] = []
  for (const name of ['data', 'end', 'error', 'close']) far.on(name, () => heard.push(name))
  near.cut()
  near.write(new Uint8Array(10))
  near.destroy()
  await clock.settle()
  expect(heard).toEqual([])
})

test('a reset is heard as ECONNRESET, and loses what was under way', async () => {
  const { clock, near, far } = pair()
  const heard: string[] = []
  far.on('data', () => heard.push('data'))
  far.on('error', error => heard.push((error as NodeJS.ErrnoException).code!))
  near.write(new Uint8Array(10))
  near.reset()
  await clock.settle()
  expect(heard).toEqual(['ECONNRESET'])
})

test('what was written before a clean close still arrives', async () => {
  const { clock, near, far } = pair()
  const heard: string[] = []
  far.on('data', (chunk: Buffer) => heard.push(chunk.toString()))
  far.on('end', () => heard.push('end'))
  near.write('last words')
  near.destroy()
  await clock.settle()
  expect(heard).toEqual(['last words', 'end'])
})
