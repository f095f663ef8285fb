import type { Clock } from '../../../../env/clock.ts'
import type { Disk } from '../../../../env/disk.ts'
import { fromUtf8, utf8 } from '../../../../lib/bytes.ts'
import type { Uuid } from '../../../../lib/uuid.ts'
import { isObject } from '../../shape.ts'
import { StoreUnavailable } from '../../store.ts'
import { type Holder, type Tenure, TenureLease } from '../../tenure-lease.ts'
import { fileName, sequenceOf } from '../read-log.ts'
import { isOutage, link, list, read, run, type Steps, unlink, write } from './steps.ts'

export interface FileLeaseOptions {
  readonly disk: Disk
  readonly clock: Clock
  /** Folder of the lease's files; it is there. */
  readonly path: string
  /** What the names of this process's temporary files end with. */
  readonly temporary: string
  readonly brokerId: number
  /** Of this process: one that had the same id before is another holder. */
  readonly incarnationId: Uuid
}

/**
 * The lease in a folder that the brokers of one machine share: each renewal makes the file of the next counter, by link(2), so
 * that of two that try exactly one gets it. Nothing of it need be durable: after a power loss nobody holds it, or somebody who
 * does not renew it.
 */
export function fileLease(options: FileLeaseOptions): TenureLease {
  const { disk, clock, path, temporary, brokerId, incarnationId } = options
  const perform = async <Result>(steps: Steps<Result>): Promise<Result> => {
    try {
      return await run(disk, steps)
    } catch (error) {
      if (!isOutage(error)) throw error
      throw new StoreUnavailable(error.message, { cause: error })
    }
  }
  const place = {
    look: () => perform(look(path)),
    take: async ({ counter }: Tenure, holder: Holder | null) => {
      const files = { path, temporary: `${path}/lease.${temporary}` }
      return (await perform(take(files, counter + 1, holder))) ? counter + 1 : null
    },
  }
  return new TenureLease({ place, clock, me: { brokerId, incarnationId } })
}

/** @internal */
export function* look(path: string): Steps<Tenure> {
  for (;;) {
    const counter = newest(yield* list(path))
    if (counter === 0) return { counter, holder: null }
    const content = yield* read(`${path}/${fileName(counter)}`)
    if (content !== null) return { counter, holder: holderIn(content) }
  }
}

/** Makes the file of `counter`; false where it was made before, or a later one is there by now. @internal */
export function* take(
  { path, temporary }: { readonly path: string; readonly temporary: string },
  counter: number,
  holder: Holder | null,
): Steps<boolean> {
  const line = JSON.stringify({ format: 1, counter, ...holder })
  yield* write(temporary, utf8(`${line}\n`), { isDurable: false })
  const name = `${path}/${fileName(counter)}`
  const isMade = yield* link(temporary, name)
  yield* unlink(temporary)
  if (!isMade) return false
  const names = yield* list(path)
  if (newest(names) > counter) {
    yield* unlink(name)
    return false
  }
  for (const at of names.map(sequenceOf)) {
    if (at !== null && at < counter) yield* unlink(`${path}/${fileName(at)}`)
  }
  return true
}

function newest(names: readonly string[]): number {
  return names.map(sequenceOf).findLast(sequence => sequence !== null) ?? 0
}

/** null for what a power loss left of it, too. */
function holderIn(content: Uint8Array): Holder | null {
  let value: unknown
  try {
    value = JSON.parse(fromUtf8(content))
  } catch {
    return null
  }
  if (!isObject(value)) return null
  const { brokerId, incarnationId } = value
  if (!Number.isSafeInteger(brokerId) || typeof incarnationId !== 'string') return null
  return { brokerId: brokerId as number, incarnationId }
}
