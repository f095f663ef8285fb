import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { withBroker } from '../helpers/broker.ts'
import { BrokerCluster, withCluster } from '../helpers/broker-cluster.ts'
import { describeWith } from '../helpers/clients.ts'
import type { Job, Site } from './job.ts'
import { jobs } from './jobs.ts'

for (const job of jobs.filter(({ quick }) => quick)) {
  describeWith('java', job.name, () => {
    describeWith(job.kit, job.tool, () => {
      test(job.proves, () => ranOnOurs(job))
    })
  })
}

async function ranOnOurs(job: Job): Promise<void> {
  const { brokerCount = 1 } = job
  if (brokerCount === 1) {
    return withBroker({}, ({ address, dataDir }) => ranOn(job, { address, dataDir, cluster: null }))
  }
  return withCluster(await BrokerCluster.start(brokerCount), cluster => {
    const { address, dataDir } = cluster.broker(0)
    return ranOn(job, { address, dataDir, cluster })
  })
}

async function ranOn(job: Job, site: Omit<Site, 'folder'>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'logcluster-tools-'))
  try {
    await job.run({ ...site, folder })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
