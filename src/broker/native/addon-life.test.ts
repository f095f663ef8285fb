import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

/** How the addon starts and ends with its environment: in processes of their own, which run these scripts. */

const folder = mkdtempSync(join(tmpdir(), 'native-life-'))
const segment = join(folder, 'segment')
writeFileSync(segment, Buffer.alloc(8 << 20, 7))
afterAll(() => rmSync(folder, { recursive: true }))

/** tools/aarch64.ts runs on an emulated processor. */
const slowness = Number(process.env['TEST_SLOWNESS'] ?? 1)

const load = JSON.stringify(new URL('load.ts', import.meta.url).href)

/** A server whose connections are in the middle of hot and cold ranges, jobs that run, attempts to connect. */
const busy = `
  const { connect } = await import('node:net')
  const { native } = (await import(${load})).loadNative()
  const file = native.disk.open(${JSON.stringify(segment)}, 'write')
  const stream = native.network.openStream()
  const range = cold => ({ file, position: 0, length: 8 << 20, cold, stream })
  let accepted = 0
  const ends = []
  const events = { frames() {}, drained() {}, closed() {} }
  const listener = await native.network.listen(
    { host: '127.0.0.1', port: 0, frameSizeMax: 1000, requestMemoryMax: 1000 },
    {
      accepted(connection) {
        connection.send([new Uint8Array(40), range(accepted % 2 === 0), range(accepted % 3 === 0)])
        accepted++
        ends.push(() => connection.close())
        return events
      },
      acceptFailed() {},
    },
  )
  for (let at = 0; at < 12; at++) {
    const socket = connect(listener.port, '127.0.0.1')
    socket.on('error', () => {})
    ends.push(() => socket.destroy())
    if (at % 2) socket.on('data', () => {})
    else socket.write(Buffer.from([0, 0, 1]))
  }
  while (accepted < 12) await new Promise(resolve => setTimeout(resolve, 1))
  for (let at = 0; at < 30; at++) {
    void file.readAsync(at, new Uint8Array(1 << 20))
    void file.sync()
    void file.writeBack(0, 1 << 20)
  }
  for (let at = 0; at < 4; at++) {
    const place = { host: '127.0.0.1', port: listener.port, frameSizeMax: 1000, timeoutMs: 60000 }
    native.network.connect(place, events).then(connection => connection.close(), () => {})
  }
  for (let turn = 0; turn < 20; turn++) await null // the attempts begin
`

test('a process that exits in the middle of everything exits well', () => {
  const { status, signal, stderr } = run(`${busy}; process.exit(23)`)
  expect({ status, signal, stderr }).toEqual({ status: 23, signal: null, stderr: '' })
})

test('a worker thread has an addon of its own, which ends with it', () => {
  const script = `
    import { Worker } from 'node:worker_threads'
    const inside = ${JSON.stringify(`${busy}; (await import('node:worker_threads')).parentPort.postMessage('busy')`)}
    for (let round = 0; round < 6; round++) {
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(inside)))
      await new Promise((resolve, reject) => { worker.once('message', resolve); worker.once('error', reject) })
      if (round % 2) (await import(${load})).loadNative()
      await worker.terminate()
    }
    console.log((await import('node:fs')).readdirSync('/proc/self/task').length < 30)`
  const { stdout, status, stderr } = run(script)
  expect({ stdout, status, stderr }).toEqual({ stdout: 'true\n', status: 0, stderr: '' })
})

test('nothing keeps the process alive when all is closed', () => {
  const script = `${busy}; await listener.close(); for (const end of ends) end()
    setTimeout(() => process.exit(9), 30000).unref()`
  expect(run(script).status).toBe(0)
})

test('an accept that fails is told, does not spin, and goes on by itself', () => {
  const script = `
    const { connect } = await import('node:net')
    const { openSync, closeSync } = await import('node:fs')
    const { native } = (await import(${load})).loadNative()
    const failures = []
    let accepted = 0
    const listener = await native.network.listen(
      { host: '127.0.0.1', port: 0, frameSizeMax: 1000, requestMemoryMax: 1000 },
      { accepted() { accepted++; return null }, acceptFailed(code) { failures.push(code) } },
    )
    connect(listener.port, '127.0.0.1').on('error', () => {})
    await new Promise(resolve => process.nextTick(resolve)) // the socket is made in a tick
    const filling = []
    try { for (;;) filling.push(openSync('/dev/null')) } catch {}
    const startMs = performance.now()
    while (failures.length < 3) await new Promise(resolve => setTimeout(resolve, 1))
    const tookMs = performance.now() - startMs
    const before = accepted
    for (const fd of filling) closeSync(fd)
    while (accepted === 0) await new Promise(resolve => setTimeout(resolve, 1))
    await listener.close()
    console.log(JSON.stringify([failures[0], tookMs > 150, before, accepted]))
    process.exit(0)`
  const { stdout } = run(script, 'ulimit -n 100;')
  expect(JSON.parse(stdout)).toEqual(['EMFILE', true, 0, 1])
})

function run(script: string, before = '') {
  const command = `${before} exec "$0" --input-type=module -e "$1"`
  return spawnSync('bash', ['-c', command, process.execPath, script], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
    timeout: 50_000 * slowness,
  })
}
