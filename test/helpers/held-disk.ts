import { SimDisk } from '../../sim/disk.ts'
import { deferred } from '../../src/lib/deferred.ts'

/** Syncs no directory, so that a start does not get on, until the test says so. */
export class HeldDisk extends SimDisk {
  readonly isAsked = deferred<void>()
  readonly held = deferred<void>()

  override async syncDirectory(path: string): Promise<void> {
    this.isAsked.resolve()
    await this.held.promise
    await super.syncDirectory(path)
  }
}
