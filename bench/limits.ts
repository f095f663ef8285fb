/**
 * What the machine can do, beside what the addon does of it: `npm run bench -- limits [MiB sent a run, 8192]`. Two small C
 * programs append with CRC and send files; ours does the same through the ports, alternating with them. Ratios are
 * trusted, not speeds.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { loadNative } from '../src/broker/native/load.ts'
import type { Native } from '../src/broker/native/load.ts'
import type { Frame } from '../src/env/network.ts'
import { readUint32, writeInt32 } from '../src/lib/bytes.ts'

/** One run: seconds by the clock, and of the processor. */
interface Cost {
  readonly seconds: number
  readonly processorSeconds: number
  /** Of the client too, where there is one. On loopback it is chance which of the two ends has the packets to handle. */
  readonly bothSeconds?: number
}

/**
 * Whose processor is whose. On loopback whoever runs has the packets of both to handle, unless each end has its own processor,
 * as it has on two machines: then data costs its sender and acknowledgements cost the client.
 */
const processors = { sender: '0', client: '1' }

/**
 * A consumer asks a broker for one range at a time; then client and server are in step, and who handles a packet is the same for
 * both rivals. With eight in flight one of the two processors is never idle, and whose it is differs from run to run.
 */
const flights = [
  { connections: 1, requests: 1 },
  { connections: 4, requests: 2 },
]

/** What is asked, of which file and by which program. */
interface Load {
  readonly program: string
  readonly segment: string
  readonly rangeBytes: number
  readonly flight: (typeof flights)[number]
}

const mebibyte = 1024 * 1024
const roundCount = 5
const appendBytes = 256 * mebibyte
const segmentBytes = 256 * mebibyte
/** So much that what is paid once (starting the client, code that is not compiled yet) is below a hundredth of it. */
const sentBytes = Number(process.argv[2] ?? 8192) * mebibyte

await main()

async function main(): Promise<void> {
  const load = loadNative()
  if (!load.ok) throw new Error(load.reason)
  const folder = mkdtempSync(join(tmpdir(), 'logcluster-limits-'))
  try {
    execFileSync('taskset', ['-a', '-c', '-p', processors.sender, String(process.pid)])
    const append = compile(folder, 'append', ['../native/crc32c.c'])
    const sendfile = compile(folder, 'sendfile')
    const { native } = load
    for (const chunkBytes of [mebibyte, 16_384]) {
      const ours = () => appendByUs(native, folder, chunkBytes)
      const limit = () => appendByC(append, folder, chunkBytes)
      await compare(`append with CRC, ${chunkBytes / 1024} KiB`, appendBytes, { limit, ours })
    }
    const segment = makeSegment(native, folder)
    for (const flight of flights) {
      for (const rangeBytes of [mebibyte, 65_536]) {
        const load = { program: sendfile, segment, rangeBytes, flight }
        const [limit, ours] = [() => sendByC(load), () => sendByUs(native, load)]
        const name = `sendfile, ${rangeBytes / 1024} KiB, ${flight.connections} x ${flight.requests}`
        await compare(name, sentBytes, { limit, ours })
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Alternates both, after one round that only warms up, and prints medians and the spread of the ratio. */
async function compare(
  name: string,
  bytes: number,
  sides: { limit: () => Promise<Cost>; ours: () => Promise<Cost> },
): Promise<void> {
  const rounds: { limit: Cost; ours: Cost }[] = []
  for (let round = 0; round <= roundCount; round++) {
    const both = { limit: await sides.limit(), ours: await sides.ours() }
    if (round > 0) rounds.push(both)
  }
  const gigabytes = bytes / 1e9
  const told = (side: 'limit' | 'ours'): string => {
    const speed = median(rounds.map(round => gigabytes / round[side].seconds))
    const cost = median(rounds.map(round => round[side].processorSeconds / gigabytes))
    return `${side} ${speed.toFixed(2)} GB/s, ${cost.toFixed(3)} s/GB`
  }
  const ratio = (of: (cost: Cost) => number): string => {
    const ratios = rounds.map(({ limit, ours }) => of(ours) / of(limit))
    const spread = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`
    return `x ${median(ratios).toFixed(2)} (${spread})`
  }
  const ends = rounds.every(({ ours }) => ours.bothSeconds !== undefined)
    ? `, with the client's ${ratio(({ bothSeconds }) => bothSeconds!)}`
    : ''
  const processor = `processor time ${ratio(({ processorSeconds }) => processorSeconds)}${ends}`
  console.log(`${name.padEnd(30)} ${told('limit')} | ${told('ours')} | ${processor}`)
}

async function appendByC(program: string, folder: string, chunkBytes: number): Promise<Cost> {
  const path = join(folder, 'appended')
  const sizes = [String(appendBytes), String(chunkBytes)]
  const [seconds, processorSeconds] = numbers(execFileSync(program, [path, ...sizes]).toString())
  rmSync(path)
  return { seconds: seconds!, processorSeconds: processorSeconds! }
}

async function appendByUs(native: Native, folder: string, chunkBytes: number): Promise<Cost> {
  const path = join(folder, 'appended')
  const file = native.disk.open(path, 'create')
  const chunk = new Uint8Array(chunkBytes).fill(7)
  const cost = await measured(async () => {
    for (let position = 0; position < appendBytes; position += chunkBytes) {
      chunk[(position / chunkBytes) % chunkBytes]! += native.crc32c(chunk) & 1
      file.write(position, [chunk])
    }
  })
  file.close()
  native.disk.unlink(path)
  return cost
}

function makeSegment(native: Native, folder: string): string {
  const path = join(folder, 'segment')
  const file = native.disk.open(path, 'create')
  const chunk = new Uint8Array(mebibyte).fill(3)
  for (let at = 0; at < segmentBytes; at += mebibyte) file.write(at, [chunk])
  file.close()
  return path
}

async function sendByC(load: Load): Promise<Cost> {
  const { program, segment, flight } = load
  const serve = [program, 'serve', segment, String(flight.connections)]
  const server = pinned(processors.sender, serve)
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]()
  const port = Number((await lines.next()).value)
  const client = await loadOn(load, port)
  const processorSeconds = Number((await lines.next()).value)
  return { ...client, processorSeconds, bothSeconds: processorSeconds + client.processorSeconds }
}

async function sendByUs(native: Native, load: Load): Promise<Cost> {
  const file = native.disk.open(load.segment, 'read')
  const stream = native.network.openStream()
  const limits = { frameSizeMax: 1000, requestMemoryMax: mebibyte }
  const listener = await native.network.listen(
    { host: '127.0.0.1', port: 0, ...limits },
    {
      acceptFailed: code => console.error(code),
      accepted: connection => ({
        frames: frames => {
          for (const frame of frames) connection.send(answer(frame))
        },
        drained: () => {},
        closed: () => {},
      }),
    },
  )
  function answer(frame: Frame) {
    const [position, length] = [readUint32(frame.bytes, 0), readUint32(frame.bytes, 4)]
    const header = new Uint8Array(4)
    writeInt32(header, 0, length)
    frame.release()
    return [header, { file, position, length, cold: false, stream }]
  }
  let client: Cost | undefined
  const { processorSeconds } = await measured(async () => {
    client = await loadOn(load, listener.port)
  })
  await listener.close()
  stream.close()
  file.close()
  const bothSeconds = processorSeconds + client!.processorSeconds
  return { seconds: client!.seconds, processorSeconds, bothSeconds }
}

/** What the client needed. */
function loadOn({ program, rangeBytes, flight }: Load, port: number): Promise<Cost> {
  const { connections, requests } = flight
  const sizes = [port, sentBytes, rangeBytes, segmentBytes, connections, requests].map(String)
  const client = pinned(processors.client, [program, 'load', ...sizes])
  let text = ''
  client.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return new Promise((resolve, reject) => {
    client.on('close', code => {
      const [seconds, processorSeconds] = numbers(text)
      if (code === 0) resolve({ seconds: seconds!, processorSeconds: processorSeconds! })
      else reject(new Error(`the client ended with ${code}`))
    })
  })
}

function pinned(processor: string, command: readonly string[]) {
  return spawn('taskset', ['-c', processor, ...command], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function measured(act: () => Promise<void>): Promise<Cost> {
  const startMs = performance.now()
  const before = process.cpuUsage()
  await act()
  const { user, system } = process.cpuUsage(before)
  const seconds = (performance.now() - startMs) / 1000
  return { seconds, processorSeconds: (user + system) / 1e6 }
}

function compile(folder: string, name: string, more: readonly string[] = []): string {
  const program = join(folder, name)
  const sources = [`${name}.c`, ...more].map(path => join(import.meta.dirname, path))
  const flags = ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-O2', '-pthread']
  const run = spawnSync(process.env['CC'] ?? 'cc', [...flags, '-o', program, ...sources], {
    stdio: 'inherit',
  })
  if (run.status !== 0) throw new Error(`${name}.c does not compile`)
  return program
}

function numbers(text: string): number[] {
  return text.trim().split(/\s+/).map(Number)
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}
