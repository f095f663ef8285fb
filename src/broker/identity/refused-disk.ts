import type { RefusalReason } from './admission.ts'

/** The broker may not use the disk that it found; it wrote nothing to it. */
export class RefusedDisk extends Error {
  override readonly name = 'RefusedDisk'
  readonly reason: RefusalReason

  constructor(reason: RefusalReason, message: string) {
    super(message)
    this.reason = reason
  }
}
