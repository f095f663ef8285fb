import { DiskError, type DiskOperation } from '../disk.ts'

/** Runs `act`; what the operating system refuses becomes a DiskError. */
export function attempt<T>(operation: DiskOperation, path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw diskError(operation, path, error)
  }
}

/**
 * The DiskError of a failed system call.
 * @throws `error` itself where no system call failed: a mistake of ours stays one.
 */
export function diskError(
  operation: DiskOperation,
  path: string,
  error: unknown,
  written = 0,
): DiskError {
  if (error instanceof DiskError) return error
  const { code, errno } = error as NodeJS.ErrnoException
  if (code === undefined || errno === undefined) throw error
  return new DiskError(operation, path, code, written)
}
