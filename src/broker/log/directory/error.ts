/** What a start finds that is refused because the disk failed in an earlier run. */
export function isFailedDirectory(error: unknown): error is DirectoryError {
  return error instanceof DirectoryError && error.reason === 'failed'
}

/** Why a data directory cannot be used. The message says what, where, and what to do. */
export class DirectoryError extends Error {
  override readonly name = 'DirectoryError'
  readonly reason: 'locked' | 'foreign' | 'failed' | 'damaged' | 'full' | 'unusable'
  readonly path: string

  constructor(reason: DirectoryError['reason'], path: string, message: string) {
    super(message)
    this.reason = reason
    this.path = path
  }
}
