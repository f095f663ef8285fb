import { spawn } from 'node:child_process'
import { KubectlError, type Kubectl } from './kubectl.ts'

/** Runs `program` once for each call, with `options` (context, kubeconfig, ...) before everything else. */
export class SpawnedKubectl implements Kubectl {
  readonly #program: string
  readonly #options: readonly string[]

  constructor(program: string, options: readonly string[]) {
    this.#program = program
    this.#options = options
  }

  run(args: readonly string[], input = ''): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn(this.#program, [...this.#options, ...args])
      const out: Buffer[] = []
      const err: Buffer[] = []
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
      child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
      // Who ends without reading its input is judged by its exit code.
      child.stdin.on('error', () => {})
      child.stdin.end(input)
      child.on('error', error => reject(new KubectlError(`${this.#program}: ${error.message}`)))
      child.on('close', code => {
        if (code === 0) return resolve(Buffer.concat(out).toString())
        const said = Buffer.concat(err).toString().trim()
        reject(new KubectlError(said === '' ? `${this.#program} ended with ${code}` : said))
      })
    })
  }
}
