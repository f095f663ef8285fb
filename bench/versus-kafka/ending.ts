import { readdirSync, readFileSync } from 'node:fs'

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
    process.on('exit', () => {
      for (const pid of descendants(process.pid)) kill(pid)
      for (const undo of this.#undo.toReversed()) undo()
    })
  }

  /** `undo` may find its work done already. */
  mustUndo(undo: () => void): void {
    this.#undo.push(undo)
  }
}

/** Every process that this one has started, and those that they have. */
function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap(child => [child, ...descendants(child)])
}

function childrenOf(pid: number): number[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`)
    const lists = tasks.map(task => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8'))
    return lists.flatMap(list => list.split(' ')).flatMap(text => Number(text) || [])
  } catch {
    // It has ended meanwhile.
    return []
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}
