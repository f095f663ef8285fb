import { spawn, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A process that answers what `tail.c` asks. */
export interface Answering {
  readonly port: number
  readonly pid: number
  /** Waits for its end, which comes when its client has gone. */
  stop(): Promise<void>
}

/** The loop in C that stands in a broker's place, `tail-floor.c`. `offsetAt` is where a Fetch has its offset. */
export async function startFloor(folder: string, offsetAt: string): Promise<Answering> {
  const [program, file] = [join(folder, 'tail-floor'), join(folder, 'floor.log')]
  const sources = ['tail-floor.c', '../native/crc32c.c'].map(name =>
    join(import.meta.dirname, name),
  )
  execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, ...sources])
  const floor = spawn(program, [file, offsetAt], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(floor, 'exit')
  for await (const line of createInterface(floor.stdout)) {
    return { port: Number(line), pid: floor.pid!, stop: async () => void (await ended) }
  }
  throw new Error(`tail-floor ended with ${String(floor.exitCode)} before it listened`)
}
