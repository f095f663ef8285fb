import { spawn } from 'node:child_process'
import { KubectlError, type Kubectl } from './kubectl.ts'

/** Processes at a time: each is some dozens of megabytes and a connection of its own. */
const processesMax = 8
/** Milliseconds: one that nobody answers is told of, and the rest goes on. What runs in a pod (`exec`) and whole logs take longer. */
const deadlines = { exec: 300_000, logs: 60_000, other: 30_000 }

/** Runs `program` once for each call, with `options` (context, kubeconfig, ...) before everything else. */
export class SpawnedKubectl implements Kubectl {
  readonly #program: string
  readonly #options: readonly string[]
  /** In place of `deadlines`. */
  readonly #deadlineMs: number | null
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(program: string, options: readonly string[], deadlineMs: number | null = null) {
    this.#program = program
    this.#options = options
    this.#deadlineMs = deadlineMs
  }

  async run(args: readonly string[], input = ''): Promise<string> {
    if (this.#running === processesMax) {
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    } else this.#running++
    try {
      return await this.#spawn(args, input)
    } finally {
      const next = this.#waiting.shift()
      // Who waits has the place of the one that has ended.
      if (next === undefined) this.#running--
      else next()
    }
  }

  #spawn(args: readonly string[], input: string): Promise<string> {
    const [word = ''] = args
    return new Promise((resolve, reject) => {
      const deadlineMs = this.#deadlineFor(word)
      const child = spawn(this.#program, [...this.#options, ...this.#words(args)], {
        signal: AbortSignal.timeout(deadlineMs),
        killSignal: 'SIGKILL',
      })
      const out: Buffer[] = []
      const err: Buffer[] = []
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
      child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
      // Who ends without reading its input is judged by its exit code.
      child.stdin.on('error', () => {})
      child.stdin.end(input)
      child.on('error', error => {
        // What it started may have its streams still: nobody waits for their end.
        child.stdout.destroy()
        child.stderr.destroy()
        const isLate = error.name === 'AbortError'
        const late = `${this.#program} ${word} did not answer within ${deadlineMs / 1000} s`
        reject(new KubectlError(isLate ? late : `${this.#program}: ${error.message}`))
      })
      child.on('close', code => {
        if (code === 0) return resolve(Buffer.concat(out).toString())
        const said = Buffer.concat(err).toString().trim()
        reject(new KubectlError(said === '' ? `${this.#program} ended with ${code}` : said))
      })
    })
  }

  /** What a call says of its time is a default: the user's own word counts. */
  #words(args: readonly string[]): readonly string[] {
    return this.#options.some(isTimeout) ? args.filter(word => !isTimeout(word)) : args
  }

  #deadlineFor(word: string): number {
    if (this.#deadlineMs !== null) return this.#deadlineMs
    if (word === 'exec' || this.#options.some(isTimeout)) return deadlines.exec
    return word === 'logs' ? deadlines.logs : deadlines.other
  }
}

function isTimeout(option: string): boolean {
  return option.startsWith('--request-timeout=')
}
