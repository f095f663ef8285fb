import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { describe, test } from 'vitest'
import type { Disk } from '../../src/env/disk.ts'
import { NodeDisk } from '../../src/env/real/disk.ts'
import { loadNative } from '../../src/broker/native/load.ts'
import { SimDisk } from '../../sim/disk.ts'
import { diskConformance, type DiskUnderTest } from './disk-conformance.ts'

diskConformance('node', () => onRealFiles(new NodeDisk()))

diskConformance('simulated', () => {
  const disk = new SimDisk()
  disk.mkdir('/data')
  return { disk, root: '/data', clean: () => {} }
})

const loaded = loadNative()
if (loaded.ok) {
  diskConformance('native', () => onRealFiles(loaded.native.disk))
} else {
  describe('native: the Disk port', () => {
    test.skip(`not run: ${loaded.reason}`, () => {})
  })
}

function onRealFiles(disk: Disk): DiskUnderTest {
  const root = mkdtempSync(`${tmpdir()}/logcluster-disk-`)
  return { disk, root, clean: () => rmSync(root, { recursive: true }) }
}
