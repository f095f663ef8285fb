import { expect, test } from 'vitest'
import { SimDisk } from '../../../../sim/disk.ts'
import {
  append,
  batchOf,
  logConfig,
  logId,
  openDirectory,
  simWorld,
} from '../../../../test/helpers/logs.ts'

/** Knows which files are open. */
class CountingDisk extends SimDisk {
  readonly opened: string[] = []

  override open(...args: Parameters<SimDisk['open']>) {
    const [path] = args
    const file = super.open(...args)
    const close = file.close.bind(file)
    this.opened.push(path)
    file.close = () => {
      this.opened.splice(this.opened.indexOf(path), 1)
      close()
    }
    return file
  }
}

test.each(['offsets', 'times'])(
  'where there is no room for .%s of a closed segment, nothing stays open, and the log goes on',
  async suffix => {
    const disk = new CountingDisk()
    const world = simWorld(disk)
    const warnings: string[] = []
    const directory = await openDirectory(world, {
      hooks: { warn: message => void warnings.push(message) },
    })
    const log = await directory.openLog(logId(), logConfig({ segmentBytes: 300 }))
    const pathPattern = new RegExp(`\\.${suffix}$`)
    disk.failNext({ operation: 'write', pathPattern, code: 'ENOSPC' })
    while (log.segmentCount < 3) await append(world, log, batchOf(2))
    await world.clock.settle()
    expect(warnings).toEqual(['Could not finish what a closed segment leaves'])
    expect(disk.opened.filter(path => /\.(offsets|times)$/.test(path))).toEqual([])
    expect(directory.failure).toBe(null)
  },
)
