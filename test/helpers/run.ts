import { spawn } from 'node:child_process'

export interface RunOptions {
  /** Given on standard input, which is then closed. */
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** After this the process is killed by its pid, and the run fails. */
  readonly timeoutMs?: number
  /** Any status is fine; by default all but 0 fail the run. */
  readonly anyStatus?: boolean
}

export interface RunResult {
  /** Null where a signal ended it. */
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
  readonly bytes: Uint8Array
}

/** Runs a program to its end and tells what it said. Throws with all of it where the run failed. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const { timeoutMs = 60_000 } = options
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  // A program that ends without reading all of its input is judged by its status.
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, timeoutMs)
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  }).finally(() => clearTimeout(timer))
  const bytes = Buffer.concat(out)
  const result = { status, stdout: bytes.toString(), stderr: Buffer.concat(err).toString(), bytes }
  const why = isLate ? `killed after ${timeoutMs} ms` : `ended with ${status}`
  if (isLate || (status !== 0 && options.anyStatus !== true)) {
    const said = [result.stdout, result.stderr].map(text => text.slice(-4000)).join('\n--\n')
    throw new Error(`${program} ${args.join(' ')} ${why}\n${said}`)
  }
  return result
}
