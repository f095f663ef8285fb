import { lookup } from 'node:dns/promises'
import { describe, expect, test } from 'vitest'
import type { Connection, ConnectionEvents, Listener, NetworkError } from '../../env/network.ts'
import { NativeConnection } from './native-connection.ts'
import { NativeDials } from './native-dials.ts'
import { eventually } from '../../../test/helpers/eventually.ts'
import { nativeForTests } from '../../../test/helpers/native.ts'

/** Beyond the suite of test/ports: what the addon's attempts leave, and names of several addresses. */

const { native } = nativeForTests()
const { disk, network } = native
const events: ConnectionEvents = { frames: () => {}, drained: () => {}, closed: () => {} }
const limits = { frameSizeMax: 1000, timeoutMs: 60_000 }
const econnrefused = 111

describe('attempts', () => {
  test('that fail leave no descriptor, however they fail', async () => {
    const gone = await listen()
    await gone.close()
    const before = openFiles()
    const codes = await Promise.all(
      [
        { host: '127.0.0.1', port: gone.port },
        { host: 'localhost', port: gone.port },
        { host: '255.255.255.255', port: 1 },
      ].map(codeOf),
    )
    expect(codes.slice(0, 2)).toEqual(['ECONNREFUSED', 'ECONNREFUSED'])
    expect(codes[2]).toMatch(/^E[A-Z]+$/)
    await eventually('open files', openFiles, count => count <= before)
  })

  test('make connections that may be closed in the same turn', async () => {
    const listener = await listen()
    const before = openFiles()
    const reasons: string[] = []
    const closed: ConnectionEvents['closed'] = ({ kind }) => void reasons.push(kind)
    for (let at = 0; at < 20; at++) {
      const { host, port } = listener
      const connection = await network.connect({ host, port, ...limits }, { ...events, closed })
      connection.close()
    }
    await eventually(
      'ends',
      () => reasons.length,
      count => count === 20,
    )
    expect(new Set(reasons)).toEqual(new Set(['local']))
    await eventually('open files', openFiles, count => count <= before)
    await listener.close()
  })

  test('go by name to every address that the name has', async () => {
    for (const { address } of await lookup('localhost', { all: true })) {
      const listener = await listen(address)
      const { port } = listener
      const connection = await network.connect({ host: 'localhost', port, ...limits }, events)
      expect(connection.remote).toEqual({ host: address, port })
      connection.close()
      await listener.close()
    }
  })
})

/** The addon's side, as a test plays it. */
class Script {
  readonly tried: string[] = []
  readonly cancelled: number[] = []
  /** What `connect` answers for an address instead of a number of its own. */
  readonly refused = new Map<string, number>()

  connect(host: string): number {
    this.tried.push(host)
    return this.refused.get(host) ?? this.tried.length
  }

  connectCancel(dial: number): number {
    this.cancelled.push(dial)
    return 0
  }
}

describe('a name of several addresses', () => {
  const place = { host: 'broker', port: 9092, ...limits }
  const resolve = async (): Promise<readonly string[]> => ['10.0.0.1', '10.0.0.2']

  test('is tried one after the other, until one answers', async () => {
    const script = new Script()
    const dials = new NativeDials(script, resolve)
    const answer = dials.connect(place, events)
    await eventually(
      'attempts',
      () => script.tried,
      tried => tried.length === 1,
    )
    dials.failed(1, econnrefused)
    await eventually(
      'attempts',
      () => script.tried,
      tried => tried.length === 2,
    )
    const connection = connectionOf()
    dials.connected(2, connection)
    expect(await answer).toBe(connection)
    expect(script).toMatchObject({ tried: ['10.0.0.1', '10.0.0.2'], cancelled: [] })
  })

  test('goes on where the system refuses at once, and fails with the last reason', async () => {
    const script = new Script()
    script.refused.set('10.0.0.1', -101)
    const dials = new NativeDials(script, resolve)
    const answer = dials.connect(place, events)
    await eventually(
      'attempts',
      () => script.tried,
      tried => tried.length === 2,
    )
    dials.failed(2, econnrefused)
    await expect(answer).rejects.toMatchObject({
      code: 'ECONNREFUSED',
      message: 'cannot connect to broker:9092: ECONNREFUSED',
    })
  })

  test('gives none of them all of the time', async () => {
    const script = new Script()
    const dials = new NativeDials(script, resolve)
    const answer = dials.connect({ ...place, timeoutMs: 20 }, events)
    await expect(answer).rejects.toMatchObject({ code: 'ETIMEDOUT' })
    expect(script).toMatchObject({ tried: ['10.0.0.1', '10.0.0.2'], cancelled: [1, 2] })
  })

  test('is not waited for longer than the attempt may take', async () => {
    const never = new NativeDials(new Script(), () => new Promise(() => {}))
    await expect(never.connect({ ...place, timeoutMs: 1 }, events)).rejects.toMatchObject({
      code: 'ETIMEDOUT',
    })
  })

  test('that is none is told by the code of the look-up', async () => {
    const notFound = Object.assign(new Error('planted'), { code: 'ENOTFOUND' })
    const dials = new NativeDials(new Script(), () => Promise.reject(notFound))
    await expect(dials.connect(place, events)).rejects.toMatchObject({ code: 'ENOTFOUND' })
  })
})

function connectionOf(): NativeConnection {
  const ends = ['10.0.0.2', '9092', '10.0.0.3', '40000'] as const
  const binding = null as never // which it asks for nothing
  return new NativeConnection(binding, 0, ends, () => network.openStream())
}

function listen(host = '127.0.0.1'): Promise<Listener> {
  const accepted = (_connection: Connection): ConnectionEvents => events
  const memory = { frameSizeMax: 1000, requestMemoryMax: 2 ** 28 }
  return network.listen({ host, port: 0, ...memory }, { accepted, acceptFailed: () => {} })
}

function codeOf(place: { readonly host: string; readonly port: number }): Promise<string> {
  return network.connect({ ...place, ...limits }, events).then(
    () => 'connected',
    (error: unknown) => (error as NetworkError).code,
  )
}

/** Descriptors of this process. */
function openFiles(): number {
  return disk.list('/proc/self/fd').length
}
