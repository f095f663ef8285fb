import { DiskError } from '../../src/env/disk.ts'

/** The code of the DiskError that `act` throws; undefined where it throws none. */
export function codeOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof DiskError) return error.code
    throw error
  }
}

export async function rejectionOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise
    return undefined
  } catch (error) {
    if (error instanceof DiskError) return error.code
    throw error
  }
}
