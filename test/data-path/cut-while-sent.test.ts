import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { DiskFile } from '../../src/env/disk.ts'
import type { Connection } from '../../src/env/network.ts'
import { realClock } from '../../src/env/real/clock.ts'
import { realRandom } from '../../src/env/real/random.ts'
import { LogDirectory } from '../../src/broker/log/directory/log-directory.ts'
import type { Log } from '../../src/broker/log/log.ts'
import { defaultSettings } from '../../src/broker/config/settings.ts'
import { eventually } from '../helpers/eventually.ts'
import { batchOf, logConfig, logId } from '../helpers/logs.ts'
import { nativeForTests } from '../helpers/native.ts'
import { describeNeeding } from './needs.ts'

/** A reader that does not read, while the end of the log is cut of which it was sent something (durability.md 3.8). */
describeNeeding(['addon'], 'a range that lies in a socket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cut-while-sent-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  test('is what it was when its log is cut and goes on with batches of the same size', async () => {
    const { log, directory } = await openLog(join(folder, 'log'))
    await append(log, batchOf(1))
    const old = bigBatch(5)
    await append(log, old)
    const read = await log.read(1, { maxBytes: 1e6, upToOffset: 2, minOneBatch: true })
    if (read.kind !== 'range') throw new Error(read.kind)
    const { peer, end } = await inSocket(read.file, read.position, read.length)
    await log.truncateTo(1)
    const other = bigBatch(9)
    expect(other.length).toBe(old.length)
    await append(log, other)
    const came = await take(peer, read.length)
    expect(came.equals(old)).toBe(true)
    await end()
    await directory.close()
  })

  test('would not be, if the file were written anew in its place', async () => {
    const { disk } = nativeForTests().native
    const file = disk.open(join(folder, 'plain'), 'create')
    const [before, old, other] = [batchOf(1), bigBatch(5), bigBatch(9)]
    file.write(0, [before, old])
    const { peer, end } = await inSocket(file, before.length, old.length)
    file.truncate(before.length)
    file.write(before.length, [other])
    const came = await take(peer, old.length)
    expect(came.equals(old)).toBe(false)
    file.close()
    await end()
  })
})

/** All of them of the same size. */
const bigBatch = (fill: number) =>
  batchOf(0, { records: [{ key: null, value: new Uint8Array(65_000).fill(fill) }] })

async function openLog(
  path: string,
): Promise<{ readonly log: Log; readonly directory: LogDirectory }> {
  const { native } = nativeForTests()
  const env = {
    clock: realClock,
    random: realRandom,
    disk: native.disk,
    network: native.network,
    crc32c: native.crc32c,
    walkRecords: native.walkRecords,
  }
  const directory = await LogDirectory.open({
    path,
    env,
    clusterId: 'cluster',
    brokerId: 1,
    bootId: 'boot',
    settings: { ...defaultSettings(), ballastBytes: 0 },
  })
  const log = await directory.openLog(logId(), logConfig())
  return { log, directory }
}

function append(log: Log, records: Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  log.append(records, { origin: 'coordinator', leaderEpoch: 0 }, result =>
    result.ok ? resolve() : reject(new Error(result.message)),
  )
  return promise
}

/** Sends a range of a file to a peer that does not read; resolves when the kernel has all of it. */
async function inSocket(file: DiskFile, position: number, length: number) {
  const { network } = nativeForTests().native
  const accepted = Promise.withResolvers<Connection>()
  const listener = await network.listen(
    { host: '127.0.0.1', port: 0, frameSizeMax: 2 ** 20, requestMemoryMax: 2 ** 20 },
    {
      acceptFailed: () => {},
      accepted: connection => {
        accepted.resolve(connection)
        return { frames: () => {}, drained: () => {}, closed: () => {} }
      },
    },
  )
  const peer = connect(listener.port, '127.0.0.1')
  peer.pause()
  const connection = await accepted.promise
  const stream = connection.openStream()
  connection.send([{ file, position, length, cold: false, stream }])
  await eventually(
    'the kernel has all of it',
    () => stream.sentBytes(),
    bytes => bytes === length,
  )
  const end = async () => {
    peer.destroy()
    stream.close()
    await listener.close()
  }
  return { peer, end }
}

function take(peer: Socket, length: number): Promise<Buffer> {
  const parts: Buffer[] = []
  const { promise, resolve } = Promise.withResolvers<Buffer>()
  peer.on('data', (part: Buffer) => {
    parts.push(part)
    const came = Buffer.concat(parts)
    if (came.length >= length) resolve(came)
  })
  peer.resume()
  return promise
}
