import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { librdkafkaVersion } from '../../tools/librdkafka.ts'

const librdkafka = join(import.meta.dirname, `../../.cache/librdkafka-${librdkafkaVersion}/src`)

/** What `load.c` said of what it did. */
export type Told = Readonly<Record<string, number>>

/** Compiles `load.c` and what belongs to it into `folder`; returns the program. */
export function compileLoad(folder: string): string {
  const library = join(librdkafka, 'librdkafka.so.1')
  if (!existsSync(library)) throw new Error(`no ${library}: node tools/librdkafka.ts builds it`)
  const sources = ['load.c', 'gap.c'].map(name => join(import.meta.dirname, '..', name))
  const target = join(folder, 'load')
  const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-pthread', '-isystem', librdkafka]
  execFileSync('cc', [...flags, '-o', target, ...sources, library, `-Wl,-rpath,${librdkafka}`])
  return target
}

/** One run of the load against one broker, or against one that is not there yet. */
export class LoadRun {
  /** Rejects with what the load said where it failed. */
  readonly done: Promise<Told>
  readonly #child: ChildProcess

  /** What the client says of itself goes into the file `log`, in place of what is there. */
  constructor(
    program: string,
    address: string,
    [what, ...args]: readonly (string | number)[],
    log?: string,
  ) {
    const child = spawn(program, [String(what), address, ...args.map(String)])
    this.#child = child
    this.done = (async () => {
      const [said, complaint, status] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        new Promise<number | null>(resolve => child.once('exit', resolve)),
      ])
      if (log !== undefined) writeFileSync(log, complaint)
      const reason = complaint.trimEnd().split('\n').at(-1)
      if (status !== 0)
        throw new Error(`load ${what} ${args.join(' ')}: ${reason || `ended with ${status}`}`)
      return JSON.parse(said) as Told
    })()
    // Who waits for it hears of a failure; nobody else has to.
    this.done.catch(() => {})
  }

  /** Tells a gap that it counts from now on. */
  count(): void {
    this.#child.kill('SIGUSR1')
  }

  /** Tells a scan or a gap to end, and waits for it. */
  async stop(): Promise<Told> {
    this.#child.kill('SIGTERM')
    return await this.done
  }

  /** Where it is not over: nobody asks any more for what it would say. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
