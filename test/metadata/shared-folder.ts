import { SimDisk } from '../../sim/disk.ts'
import { performNow, type Step, type Steps } from '../../src/broker/metadata/files/shared/steps.ts'
import { writeDurably } from '../../src/broker/metadata/files/durable-file.ts'
import { assert } from '../../src/lib/assert.ts'

/** A program of one process; it tells what it was told by `tell`, and its steps are what others may come between. */
export type Program = (tell: (what: string) => void) => Steps<void>

/** One moment of one order of steps. */
export interface Moment {
  /** Which program took each step so far. */
  readonly schedule: readonly number[]
  readonly disk: SimDisk
  /** What the programs were told so far, in the order of the telling. */
  readonly told: readonly string[]
  /** True: nobody has a step to take any more. */
  readonly isOver: boolean
}

/**
 * Every moment of every order in which the steps of some processes can come, each state once: states are the same when the folder looks
 * the same and each program has found the same. Programs are deterministic, so an order is repeated from its beginning.
 */
export function* everyMoment(start: SimDisk, programs: readonly Program[]): Generator<Moment> {
  const seen = new Set<string>()
  let frontier: number[][] = [[]]
  while (frontier.length > 0) {
    const next: number[][] = []
    for (const schedule of frontier) {
      const world = new World(start.clone(), programs)
      for (const at of schedule) world.step(at)
      const { key } = world
      if (seen.has(key)) continue
      seen.add(key)
      const ready = world.ready
      const { disk, told } = world
      yield { schedule, disk, told, isOver: ready.length === 0 }
      for (const at of ready) next.push([...schedule, at])
    }
    frontier = next
  }
}

class World {
  readonly disk: SimDisk
  readonly told: string[] = []
  readonly #running: { readonly steps: Steps<void>; next: Step | null; readonly found: string[] }[]

  constructor(disk: SimDisk, programs: readonly Program[]) {
    this.disk = disk
    this.#running = programs.map(program => {
      const steps = program(what => this.told.push(what))
      return { steps, next: steps.next().value ?? null, found: [] }
    })
  }

  get ready(): number[] {
    return this.#running.flatMap(({ next }, at) => (next === null ? [] : [at]))
  }

  /** What the folder shows, and what each program has found. */
  get key(): string {
    const files = walk(this.disk, '/').toSorted()
    return JSON.stringify([files, this.#running.map(({ found }) => found), this.told])
  }

  step(at: number): void {
    const program = this.#running[at]!
    assert(program.next !== null, 'who takes a step has one to take')
    const found = performAtOnce(this.disk, program.next)
    program.found.push(
      found instanceof Uint8Array ? Buffer.from(found).toString() : JSON.stringify(found),
    )
    program.next = program.steps.next(found).value ?? null
    // What has a name of this process's own is no matter to others, so nobody need come in there.
    if (program.next?.type === 'write') this.step(at)
  }
}

/** The disk syncs without a wait (`instantDisk`), so a step is over when this returns. */
function performAtOnce(disk: SimDisk, step: Step): ReturnType<typeof performNow> {
  if (step.type === 'syncDirectory') void disk.syncDirectory(step.path)
  else if (step.type === 'write' && step.isDurable) writeAtOnce(disk, step.path, step.content)
  else return performNow(disk, step)
  return null
}

function writeAtOnce(disk: SimDisk, path: string, content: Uint8Array): void {
  void writeDurably(disk, path, content)
}

/** A disk whose syncs are done when they are asked for. */
export function instantDisk(): SimDisk {
  return new SimDisk({ later: act => act() })
}

/** Runs steps with nobody between them. */
export function runAlone<Result>(disk: SimDisk, steps: Steps<Result>): Result {
  let next = steps.next()
  while (next.done !== true) next = steps.next(performAtOnce(disk, next.value))
  return next.value
}

function walk(disk: SimDisk, path: string): string[] {
  return disk.list(path).flatMap(name => {
    const at = path === '/' ? `/${name}` : `${path}/${name}`
    if (disk.stat(at)!.isDirectory) return walk(disk, at)
    const content = performNow(disk, { type: 'read', path: at }) as Uint8Array
    return [`${at} ${Buffer.from(content).toString()}`]
  })
}
