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
