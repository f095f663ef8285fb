import { describe, expect, test } from 'vitest'
import type { ColdGate, WaitingJob } from '../../src/env/cold-gate.ts'
import type { DiskFile } from '../../src/env/disk.ts'
import { Prng } from '../../src/lib/prng.ts'
import { eventually } from '../helpers/eventually.ts'
import type { NetworkBench } from './network-bench.ts'
import { fewTurns } from './network-server.ts'

const mebibyte = 1024 * 1024

/** A gate that a test opens by hand, and that minds how it is spoken to. */
class HandGate implements ColdGate {
  readonly waiting = new Map<number, WaitingJob>()
  readonly running = new Set<number>()
  readonly endedBytes: number[] = []
  readonly left: number[] = []
  /** Opens at once; what each job may send. */
  openBytes: number | null = null

  wait(id: number, job: WaitingJob): void {
    if (this.waiting.has(id) || this.running.has(id)) throw new Error('it has a job already')
    expect(job.bytes).toBeGreaterThan(0)
    this.waiting.set(id, job)
    if (this.openBytes !== null) this.open(id, this.openBytes)
  }

  end(id: number, bytes: number, next: WaitingJob | null): void {
    if (!this.running.delete(id)) throw new Error('what ends has gone')
    this.endedBytes.push(bytes)
    if (next !== null) this.wait(id, next)
  }

  leave(id: number): void {
    this.left.push(id)
    this.waiting.delete(id)
    this.running.delete(id)
  }

  open(id: number, bytesMax: number): void {
    const job = this.waiting.get(id)!
    this.waiting.delete(id)
    this.running.add(id)
    job.go(bytesMax)
  }
}

/** Cold ranges leave when the gate says so. */
export function networkCold(bench: () => NetworkBench): void {
  const content = Buffer.from(new Prng(22).bytes(5 * mebibyte))
  const makeFile = (): DiskFile => {
    const { disk, root } = bench().under
    const file = disk.open(`${root}/segment`, 'create')
    file.write(0, [content])
    return file
  }
  const made = async () => {
    const gate = new HandGate()
    const server = await bench().serve({}, { coldGate: gate })
    const client = await bench().connect(server)
    await server.until(() => server.connections.length === 1)
    const connection = server.connections[0]!
    const stream = connection.openStream()
    const file = makeFile()
    const range = (position: number, length: number, cold = true) => {
      return { file, position, length, cold, stream }
    }
    return { gate, server, client, connection, range, file }
  }

  describe('a gate for cold ranges', () => {
    test('holds them back, and what comes behind, but nothing before and nobody else', async () => {
      const { gate, server, client, connection, range, file } = await made()
      const [before, behind] = [Buffer.from('before'), Buffer.from('behind')]
      connection.send([range(0, mebibyte, false)])
      connection.send([before])
      expect((await client.take(mebibyte + before.length)).subarray(mebibyte)).toEqual(before)
      connection.send([range(7, mebibyte)])
      connection.send([behind])
      const other = await bench().connect(server)
      await server.until(() => server.connections.length === 2)
      server.connections[1]!.send([range(0, mebibyte, false)])
      expect((await other.take(mebibyte)).equals(content.subarray(0, mebibyte))).toBe(true)
      await fewTurns()
      expect([...gate.waiting.keys()]).toEqual([connection.id])
      expect(client.bufferedBytes).toBe(0)
      gate.openBytes = 8 * mebibyte
      gate.open(connection.id, 8 * mebibyte)
      const cold = await client.take(mebibyte + behind.length)
      expect(cold.equals(Buffer.concat([content.subarray(7, 7 + mebibyte), behind]))).toBe(true)
      await server.until(() => gate.running.size === 0)
      expect(gate.endedBytes.reduce((sum, bytes) => sum + bytes, 0)).toBe(mebibyte)
      file.close()
    })

    test('is asked again for what a job may not send', async () => {
      const { gate, server, client, connection, range, file } = await made()
      gate.openBytes = mebibyte
      for (const position of [0, 3]) connection.send([range(position, content.length - 3)])
      const whole = await client.take(2 * (content.length - 3))
      expect(whole.subarray(0, content.length - 3).equals(content.subarray(0, -3))).toBe(true)
      expect(whole.subarray(content.length - 3).equals(content.subarray(3))).toBe(true)
      await server.until(() => gate.running.size === 0)
      expect(gate.endedBytes.reduce((sum, bytes) => sum + bytes, 0)).toBe(whole.length)
      expect(Math.max(...gate.endedBytes)).toBeLessThan(2 * mebibyte)
      file.close()
    })

    test('and what they are to drop of the page cache goes with them', async () => {
      const { server, client, connection, range, file, gate } = await made()
      const { disk, root } = bench().under
      gate.openBytes = 8 * mebibyte
      await file.sync()
      const drop = { position: 0, length: 2 * mebibyte }
      const cachedAfter = async (length: number) => {
        connection.send([{ ...range(3 * mebibyte, length), drop }])
        const end = 3 * mebibyte + length
        expect((await client.take(length)).equals(content.subarray(3 * mebibyte, end))).toBe(true)
        await server.until(() => gate.running.size === 0)
        return file.residency(0, drop.length)?.cachedBytes ?? null
      }
      const canTell = file.residency(0, 1) !== null && !disk.fileSystem(root).isMemory
      for (const length of [1000, mebibyte]) {
        file.read(0, new Uint8Array(drop.length))
        const cached = () => cachedAfter(length)
        // A page that something else holds at this moment stays, and goes the next time.
        await eventually('cached of what was dropped', cached, bytes => bytes === 0 || !canTell)
      }
      file.close()
    })

    test('hears that a connection left, be its job waiting, stuck or over', async () => {
      const { gate, server, connection, range, file } = await made()
      connection.send([range(0, mebibyte)])
      await server.until(() => gate.waiting.size === 1)
      const other = await bench().connect(server)
      await server.until(() => server.connections.length === 2)
      const stuck = server.connections[1]!
      gate.openBytes = 64 * mebibyte
      other.duplex.pause()
      for (let at = 0; at < 20; at++) stuck.send([range(0, content.length)])
      const idle = await bench().connect(server)
      await server.until(() => server.connections.length === 3)
      connection.close()
      for (const each of [other, idle]) each.duplex.destroy()
      await server.until(() => gate.left.length === 3)
      expect(new Set(gate.left)).toEqual(new Set(server.connections.map(({ id }) => id)))
      expect([gate.waiting.size, gate.running.size]).toEqual([0, 0])
      file.close()
    })
  })
}
