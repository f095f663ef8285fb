import { readFileSync } from 'node:fs'
import { eventually } from '../helpers/eventually.ts'

/** One system call as strace saw it. */
export interface Syscall {
  readonly thread: number
  readonly name: string
  /** What its file descriptors are: paths, and `TCP:[LOCAL->REMOTE]`. */
  readonly targets: readonly string[]
  /** It may wait for the device or the peer: not said to come back at once (RWF_NOWAIT). */
  readonly mayWait: boolean
  /** What it returned; -1 where it failed or never came back. */
  readonly result: number
  /** Places in the order of all beginnings and ends. */
  readonly begin: number
  readonly end: number
}

export const syncs: readonly string[] = ['fsync', 'fdatasync', 'syncfs', 'sync_file_range', 'sync']
export const reads: readonly string[] = ['read', 'readv', 'pread64', 'preadv', 'preadv2']
const writes = ['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2']
const receives = ['recvfrom', 'recvmsg']
const sends = ['sendto', 'sendmsg', 'sendfile', 'splice']

/** The command to put before a broker's, which then is traced into `file` from its first call to its last. */
export function tracing(file: string): readonly string[] {
  const calls = [...syncs, ...reads, ...writes, ...receives, ...sends, 'mmap', 'exit_group']
  const what = ['-e', `trace=${calls.join(',')}`]
  return ['strace', '-D', '-f', '-yy', '-s', '0', '--seccomp-bpf', ...what, '-o', file]
}

/** The calls of a process that has ended; waits for its tracer, which ends a little later. */
export async function readTrace(file: string, pid: number): Promise<Syscall[]> {
  const isLast = new RegExp(`^${pid} +\\+\\+\\+`, 'm')
  const text = await eventually(
    'strace wrote its last line',
    () => readFileSync(file, 'utf8'),
    all => isLast.test(all),
  )
  return parseTrace(text)
}

const shape = /^(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)$/

/** A call that another thread's came between stands in two lines: its beginning, and how it went on. */
function parseTrace(text: string): Syscall[] {
  const calls: Syscall[] = []
  const open = new Map<number, Syscall>()
  text.split('\n').forEach((line, at) => {
    const match = shape.exec(line)
    if (match === null) return
    const [, thread, resumed, name, rest] = match
    const begun =
      resumed === undefined
        ? { thread: Number(thread), name: name!, targets: targetsOf(rest!), begin: at }
        : open.get(Number(thread))
    if (begun === undefined) return
    if (line.endsWith('<unfinished ...>')) {
      const end = Number.POSITIVE_INFINITY
      open.set(begun.thread, { ...begun, mayWait: true, result: -1, end })
      return
    }
    open.delete(begun.thread)
    const mayWait = !rest!.includes('RWF_NOWAIT')
    calls.push({ ...begun, mayWait, result: resultOf(line), end: at })
  })
  return [...calls, ...open.values()].toSorted((a, b) => a.begin - b.begin)
}

function targetsOf(rest: string): string[] {
  return [...rest.matchAll(/\d+<((?:->|[^<>])*)>/g)].map(match => match[1]!)
}

function resultOf(line: string): number {
  return Number(/ = (-?\d+)(?:[ <].*)?$/.exec(line)?.[1] ?? -1)
}

export function isOnSegment({ targets }: Syscall): boolean {
  return targets.some(target => target.endsWith('.log'))
}

/** Bytes that these calls moved. */
export function bytesOf(calls: readonly Syscall[]): number {
  return calls.reduce((sum, { result }) => sum + Math.max(0, result), 0)
}

/** One request's way through the broker. */
export interface Exchange {
  /** The thread that received it. */
  readonly receiver: number
  /** All that the process did from the receipt of the request's last bytes to the end of its answer. */
  readonly calls: readonly Syscall[]
}

/** The exchanges of the client at that port, which never had two requests under way. */
export function exchangesOf(calls: readonly Syscall[], clientPort: number): Exchange[] {
  const own = calls.filter(({ targets }) => targets.some(it => it.endsWith(`:${clientPort}]`)))
  const exchanges: { received: Syscall; sent: Syscall | null }[] = []
  for (const call of own) {
    if (receives.includes(call.name) && call.result > 0) {
      if (exchanges.at(-1)?.sent === null) exchanges.pop()
      exchanges.push({ received: call, sent: null })
    } else if (sends.includes(call.name) && exchanges.length > 0) {
      exchanges.at(-1)!.sent = call
    }
  }
  return exchanges.flatMap(({ received, sent }) => {
    if (sent === null) return []
    const within = calls.filter(({ begin, end }) => end > received.end && begin <= sent.end)
    return [{ receiver: received.thread, calls: within }]
  })
}
