import { DiskError } from './disk.ts'

/** Gives something up that holds room on the disk; false where nothing is left, or that would not help. */
export type MakeRoom = (error: DiskError) => boolean

/** Writes something without which no space can be freed: where the disk is full, once more when room was made. `write` may be called twice. */
export async function withRoom<Result>(
  makeRoom: MakeRoom,
  write: () => Promise<Result>,
): Promise<Result> {
  try {
    return await write()
  } catch (error) {
    if (!(error instanceof DiskError) || !error.isFull || !makeRoom(error)) throw error
    return write()
  }
}

/** There is nothing to give up. */
export const noRoom: MakeRoom = () => false
