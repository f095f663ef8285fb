import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { NodeDisk } from '../../src/env/real/disk.ts'
import type { Disk } from '../../src/env/disk.ts'
import { SimDisk } from '../../sim/disk.ts'
import { diskConformance, type DiskUnderTest } from './disk-conformance.ts'

diskConformance('node', () => onRealFiles(new NodeDisk()))

diskConformance('simulated', () => {
  const disk = new SimDisk()
  disk.mkdir('/data')
  return { disk, root: '/data', clean: () => {} }
})

function onRealFiles(disk: Disk): DiskUnderTest {
  const root = mkdtempSync(`${tmpdir()}/logcluster-disk-`)
  return { disk, root, clean: () => rmSync(root, { recursive: true }) }
}
