import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import type { DiskFile } from '../disk.ts'
import type { SendStream } from '../network.ts'
import { OutputQueue } from './output-queue.ts'

const mebibyte = 1024 * 1024

const stream: SendStream = {
  sentBytes: () => 0,
  hitBytes: () => null,
  isSettled: () => false,
  close: () => {},
}

/** A file of zeros that counts what was read of it and who holds it. */
function zeros(): { file: DiskFile; counts: { readBytes: number; holds: number } } {
  const counts = { readBytes: 0, holds: 0 }
  const file = {
    path: '/zeros',
    readAsync: (_position: number, target: Uint8Array) => {
      counts.readBytes += target.length
      return Promise.resolve(target.length)
    },
    hold: () => {
      counts.holds++
      return () => void counts.holds--
    },
  }
  return { file: file as unknown as DiskFile, counts }
}

/** A stream that takes a chunk only when it is told to. */
class Valve extends Duplex {
  #taken: (() => void)[] = []
  takenBytes = 0

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#taken.push(() => {
      this.takenBytes += chunk.length
      done()
    })
  }

  takeOne(): void {
    this.#taken.shift()?.()
  }
}

const silent = { sent: () => {}, drained: () => {}, ended: () => {}, failed: () => {} }

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
}

test('at most 1 MiB is read ahead of a slow reader', async () => {
  const valve = new Valve()
  const { file, counts } = zeros()
  const queue = new OutputQueue(valve, silent)
  queue.send([{ file, position: 0, length: 20 * mebibyte, cold: false, stream }])
  let readMost = 0
  while (valve.takenBytes < 20 * mebibyte) {
    await turns()
    readMost = Math.max(readMost, counts.readBytes - valve.takenBytes)
    expect(queue.queuedBytes).toBe(20 * mebibyte - valve.takenBytes)
    valve.takeOne()
  }
  await turns()
  expect(readMost).toBeLessThanOrEqual(mebibyte)
  expect(counts).toEqual({ readBytes: 20 * mebibyte, holds: 0 })
})

test('dropping gives every file back, also the one that is being read', async () => {
  const valve = new Valve()
  const { file, counts } = zeros()
  const queue = new OutputQueue(valve, silent)
  const range = { file, position: 0, length: mebibyte, cold: false, stream }
  queue.send([new Uint8Array(5), range, range, range])
  expect(counts.holds).toBe(3)
  queue.drop()
  queue.send([range])
  await turns()
  expect(counts.holds).toBe(0)
  expect(queue.queuedBytes).toBe(0)
})

test('what a cold range is to drop is dropped once it was read', async () => {
  const valve = new Valve()
  const { file, counts } = zeros()
  const dropped: unknown[] = []
  const dropCacheAsync = async (...span: readonly number[]) => {
    dropped.push([...span, counts.readBytes])
  }
  const queue = new OutputQueue(valve, silent)
  const drop = { position: 5, length: 70 }
  const range = { file: { ...file, dropCacheAsync } as DiskFile, position: 0, length: 600_000 }
  queue.send([{ ...range, cold: true, stream, drop }])
  await turns()
  expect(dropped).toEqual([[5, 70, 600_000]])
})

test('a failing read is told, and nothing is sent behind it', async () => {
  const valve = new Valve()
  const { file } = zeros()
  const broken = { ...file, readAsync: () => Promise.reject(new Error('EIO planted')) } as DiskFile
  const failures: string[] = []
  const queue = new OutputQueue(valve, { ...silent, failed: detail => void failures.push(detail) })
  queue.send([{ file: broken, position: 0, length: 10, cold: true, stream }, new Uint8Array(3)])
  await turns()
  expect(failures).toEqual(['Error: EIO planted'])
  expect(valve.writableLength).toBe(0)
})
