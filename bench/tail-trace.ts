/**
 * Put before the broker by tail.ts (`node --import`): notes what held its event loop, and what its threads had to do with
 * the disk meanwhile. Everything that goes from JavaScript into the addon and back is timed; of what took long, how
 * much of it the thread ran, stood ready to run, or slept. Written to the file that TAIL_TRACE names when it ends.
 */
import { openSync, readSync, writeFileSync } from 'node:fs'
import { constants, PerformanceObserver } from 'node:perf_hooks'

/** All times in nanoseconds of CLOCK_MONOTONIC, as process.hrtime has it. */
export interface TraceEvent {
  /** The addon's function or callback; `gc KIND`; a job of its threads: `job FUNCTION`. */
  readonly name: string
  readonly from: number
  readonly to: number
  /** Of the thread's: what it worked, and what it stood ready to and did not. Of `gc` and jobs not known: 0. */
  readonly ran: number
  readonly waited: number
}

type Call = (...args: unknown[]) => unknown

const slowNs = 200_000
const events: TraceEvent[] = []
const jobs = new Map<unknown, { readonly name: string; readonly from: number }>()
const jobCalls = new Set(['fileSync', 'fileSyncAll', 'fileSyncFileSystem', 'fileWriteBack'])
const schedstat = openSync('/proc/thread-self/schedstat', 'r')
const text = Buffer.alloc(128)

/** What this thread ran, and what it waited for a processor. */
function scheduled(): readonly [ran: number, waited: number] {
  const length = readSync(schedstat, text, 0, text.length, 0)
  const [ran = 0, waited = 0] = text.toString('latin1', 0, length).split(' ').map(Number)
  return [ran, waited]
}

const nowNs = (): number => Number(process.hrtime.bigint())

function timed(name: string, call: Call): Call {
  return (...args) => {
    const [ranBefore, waitedBefore] = scheduled()
    const from = nowNs()
    try {
      return call(...args)
    } finally {
      const to = nowNs()
      if (to - from > slowNs) {
        const [ran, waited] = scheduled()
        events.push({ name, from, to, ran: ran - ranBefore, waited: waited - waitedBefore })
      }
    }
  }
}

/** `(file, job, ...)` begins a job, `jobDone(job, ...)` ends it. */
function withJobs(name: string, call: Call): Call {
  if (jobCalls.has(name)) {
    return (...args) => {
      jobs.set(args[1], { name: `job ${name}`, from: nowNs() })
      return call(...args)
    }
  }
  if (name !== 'jobDone') return call
  return (...args) => {
    const job = jobs.get(args[0])
    jobs.delete(args[0])
    if (job !== undefined) events.push({ ...job, to: nowNs(), ran: 0, waited: 0 })
    return call(...args)
  }
}

function wrapped(exports: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(exports).map(([name, value]) => {
      if (typeof value !== 'function') return [name, value]
      if (name !== 'start') return [name, timed(name, withJobs(name, value as Call))]
      return [name, (callbacks: Record<string, unknown>) => (value as Call)(wrapped(callbacks))]
    }),
  )
}

const dlopen = process.dlopen.bind(process)
process.dlopen = (module: object, file: string, ...flags: []) => {
  dlopen(module, file, ...flags)
  const loaded = module as { exports: Record<string, unknown> }
  if (file.endsWith('logcluster.node')) loaded.exports = wrapped(loaded.exports)
}

const originNs = nowNs() - performance.now() * 1e6
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) {
    const from = originNs + entry.startTime * 1e6
    // Of entries of type gc: @types/node does not have it.
    const { kind } = (entry as unknown as { readonly detail: { readonly kind: number } }).detail
    const { NODE_PERFORMANCE_GC_MINOR, NODE_PERFORMANCE_GC_MAJOR } = constants
    const isMinor = kind === NODE_PERFORMANCE_GC_MINOR
    const what = isMinor ? 'scavenge' : kind === NODE_PERFORMANCE_GC_MAJOR ? 'mark-compact' : 'step'
    events.push({ name: `gc ${what}`, from, to: from + entry.duration * 1e6, ran: 0, waited: 0 })
  }
}).observe({ entryTypes: ['gc'] })

process.on('exit', () => {
  const file = process.env['TAIL_TRACE']
  if (file !== undefined) writeFileSync(file, JSON.stringify(events))
})
