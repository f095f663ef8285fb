import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { withBroker } from '../helpers/broker.ts'
import { describeWith } from '../helpers/clients.ts'
import type { Job } from './job.ts'
import { jobs } from './jobs.ts'

for (const job of jobs.filter(({ quick }) => quick)) {
  describeWith('java', job.name, () => {
    describeWith(job.kit, job.tool, () => {
      test(job.proves, () => ranOnOurs(job))
    })
  })
}

function ranOnOurs(job: Job): Promise<void> {
  return withBroker({}, async ({ address, dataDir }) => {
    const folder = mkdtempSync(join(tmpdir(), 'logcluster-tools-'))
    try {
      await job.run({ address, dataDir, folder })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
}
