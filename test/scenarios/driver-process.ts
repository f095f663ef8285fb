import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Verb, Verbs } from './drivers/serve.ts'

/** How a client's driver is started, the address apart. */
export interface DriverProgram {
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** The client cannot do what a scenario asks, by design of its library: the cell becomes `n/a`. */
export class NotApplicable extends Error {}

type Arguments<V extends Verb> = Parameters<NonNullable<Verbs[V]>>
type Result<V extends Verb> = Awaited<ReturnType<NonNullable<Verbs[V]>>>

interface Answer {
  readonly id: number
  readonly result?: never
  readonly error?: string
  readonly lacks?: string
}

interface Waiting {
  resolve(result: never): void
  reject(error: Error): void
}

/** One process of a client's driver; it does one thing after the other. */
export class DriverProcess {
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0
  #said = ''

  constructor(program: DriverProgram, address: string) {
    const [file, ...args] = program.command
    this.#process = spawn(file!, [...args, address], {
      env: { ...process.env, ...program.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#process.stdin!.on('error', () => {})
    this.#process.stderr!.on('data', (chunk: Buffer) => (this.#said += chunk.toString()))
    createInterface({ input: this.#process.stdout! }).on('line', line => this.#hear(line))
    this.#process.once('close', status => {
      const end = new Error(`the driver ended with ${status}: ${this.#said.slice(-1000)}`)
      for (const waiting of this.#waiting.values()) waiting.reject(end)
      this.#waiting.clear()
    })
  }

  /** Rejects with what the library said, or with `NotApplicable`. */
  call<V extends Verb>(verb: V, ...args: Arguments<V>): Promise<Result<V>> {
    const id = ++this.#lastId
    return new Promise<never>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#process.stdin!.write(`${JSON.stringify({ id, verb, args: args[0] ?? {} })}\n`)
    })
  }

  async close(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = new Promise(resolve => this.#process.once('close', resolve))
    this.#process.kill('SIGKILL')
    await ended
  }

  #hear(line: string): void {
    if (!line.startsWith('{"id"')) return void (this.#said += `${line}\n`)
    const { id, result, error, lacks } = JSON.parse(line) as Answer
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (lacks !== undefined) waiting?.reject(new NotApplicable(lacks))
    else if (error !== undefined) waiting?.reject(new Error(error))
    else waiting?.resolve(result!)
  }
}
