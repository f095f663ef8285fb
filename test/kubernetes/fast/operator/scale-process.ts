import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

const root = join(import.meta.dirname, '../../../..')
const source = 'test/kubernetes/fast/operator/scale-driver'

/** `scale-driver.ts` as plain JavaScript, as a pod has the operator: what strips types takes 33 MiB of a process. */
export function buildDriver(): { readonly path: string; [Symbol.dispose](): void } {
  const folder = mkdtempSync(join(tmpdir(), 'logcluster-driver-'))
  const project = join(folder, 'tsconfig.json')
  const include = [join(root, `${source}.ts`)]
  const compilerOptions = {
    rootDir: root,
    outDir: folder,
    typeRoots: [join(root, 'node_modules/@types')],
  }
  writeFileSync(
    project,
    JSON.stringify({ extends: join(root, 'tsconfig.build.json'), include, compilerOptions }),
  )
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  symlinkSync(join(root, 'package.json'), join(folder, 'package.json'))
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', project], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`The driver was not compiled: ${stdout}`)
  return {
    path: join(folder, `${source}.js`),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

export type OperatorProcess = Awaited<ReturnType<typeof startDriver>>

/** The operator as a process; resolves when it serves HTTP. */
export async function startDriver(driver: { readonly path: string }, args: readonly string[]) {
  const child = spawn(process.execPath, [driver.path, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: nodeOptions() },
  })
  const ended = once(child, 'exit')
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const metrics = async (): Promise<Map<string, number>> => {
    const text = await (await fetch(`http://127.0.0.1:${line}/metrics`)).text()
    return new Map(
      text
        .split('\n')
        .filter(row => row !== '' && !row.startsWith('#'))
        .map(row => [
          row.slice(0, row.lastIndexOf(' ')),
          Number(row.slice(row.lastIndexOf(' ') + 1)),
        ]),
    )
  }
  return {
    pid: child.pid,
    metrics,
    residentBytes: () => statusBytes(child.pid, 'VmRSS'),
    /** The most that it had at any moment. */
    peakBytes: () => statusBytes(child.pid, 'VmHWM'),
    /** Of one processor, over five seconds. */
    cpuShare: async (): Promise<string> => {
      const used = async () => (await metrics()).get('process_cpu_seconds_total') ?? 0
      const before = await used()
      await sleep(5000)
      return `${(((await used()) - before) * 20).toFixed(0)} %`
    },
    /** Passes that have ended well, by the kind of their controller. */
    passes: async (controller: string): Promise<number> => {
      const all = await metrics()
      const of = (result: string): number =>
        all.get(
          `logcluster_operator_reconcile_total{controller="${controller}",result="${result}"}`,
        ) ?? 0
      return of('success') + of('requeue_after')
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** What the chart gives the operator's pod. */
function nodeOptions(): string {
  const chart = readFileSync(join(root, 'test/charts/golden/default.yaml'), 'utf8')
  return /name: NODE_OPTIONS\s+value: (?<options>.*)/.exec(chart)!.groups!['options']!
}

function statusBytes(pid: number | undefined, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)![1]) * 1024
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`
}
