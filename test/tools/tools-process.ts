import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { javaCommand } from '../helpers/programs.ts'

export interface Said {
  readonly status: number
  /** Both of its outputs. */
  readonly text: string
}

/** Kafka's command line in one process, one command at a time: `Tools.java`. */
export class ToolsProcess {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #reader: Interface
  #errors = ''

  constructor() {
    const { file, args } = javaCommand(join(import.meta.dirname, 'Tools.java'))
    // It must not outlive this process.
    const command = ['--pdeathsig', 'KILL', file, ...args]
    this.#child = spawn('setpriv', command, { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child.stdin!.on('error', () => {})
    this.#child.stderr!.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()))
    this.#reader = createInterface({ input: this.#child.stdout! })
    this.#lines = this.#reader[Symbol.asyncIterator]()
  }

  /** Runs the `main` of one class to its end. */
  async run(mainClass: string, ...args: string[]): Promise<Said> {
    this.#child.stdin!.write(`${[mainClass, ...args].join('\t')}\n`)
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error(`the tools ended: ${this.#errors.slice(-2000)}`)
    const [status, output = ''] = value.split('\t')
    return { status: Number(status), text: Buffer.from(output, 'base64').toString() }
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL')
    this.#reader.close()
  }
}
