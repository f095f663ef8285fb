import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { nativeForTests } from '../helpers/native.ts'
import { diskConformance } from './disk-conformance.ts'

diskConformance('native', () => {
  const root = mkdtempSync(`${tmpdir()}/logcluster-disk-`)
  return {
    disk: nativeForTests().native.disk,
    root,
    clean: () => rmSync(root, { recursive: true }),
  }
})
