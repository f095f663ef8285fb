import { readdirSync, readFileSync } from 'node:fs'

/** For a killed process to be gone, in ms. */
const patienceMs = 10_000

/**
 * What must be undone however this process ends: also by an error, by Ctrl-C or by SIGTERM. Processes first, as what
 * they hold cannot be removed before; the rest in the opposite order of its making.
 */
export class Ending {
  readonly #undo: (() => void)[] = []

  constructor() {
    for (const [signal, status] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      process.on(signal, () => process.exit(status))
    }
    process.on('exit', () => this.#end())
  }

  /** `undo` may find its work done already. */
  mustUndo(undo: () => void): void {
    this.#undo.push(undo)
  }

  #end(): void {
    const pids = descendants(process.pid)
    for (const pid of pids) kill(pid)
    const late = performance.now() + patienceMs
    while (pids.some(isAlive) && performance.now() < late) block(20)
    for (const undo of this.#undo.toReversed()) patiently(undo, late)
  }
}

/** The kernel holds a cgroup and a file for a moment longer than the process. */
function patiently(undo: () => void, late: number): void {
  for (;;) {
    try {
      return undo()
    } catch (error) {
      if (performance.now() > late) return console.error('left behind:', error)
    }
    block(50)
  }
}

/** Every process that `ancestor` has started, and those that they have. */
function descendants(ancestor: number): number[] {
  const parents = new Map(
    readdirSync('/proc').flatMap(name => {
      const pid = Number(name)
      const parent = Number.isNaN(pid) ? null : statOf(pid)?.parent
      return typeof parent === 'number' ? [[pid, parent] as const] : []
    }),
  )
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid)
    return parent !== undefined && (parent === ancestor || isBelow(parent))
  }
  return [...parents.keys()].filter(isBelow)
}

/** Of proc_pid_stat(5); null where there is no such process. */
function statOf(pid: number): { readonly state: string; readonly parent: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state: state!, parent: Number(parent) }
  } catch {
    return null
  }
}

/** A zombie is as good as gone: only we could bury it, and our loop has ended. */
function isAlive(pid: number): boolean {
  const state = statOf(pid)?.state
  return state !== undefined && state !== 'Z'
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
