import { renameSync } from 'node:fs'
import type { Etcd } from '../helpers/etcd.ts'
import type { Outage } from './outage.ts'

/** The folder that the brokers share is gone, and comes back as it was. */
export const folderOutage: Outage = {
  async take({ metadataDir }) {
    renameSync(metadataDir, `${metadataDir}.away`)
  },
  async giveBack({ metadataDir }) {
    renameSync(`${metadataDir}.away`, metadataDir)
  },
}

/** etcd is killed, and started again over what it had. */
export function etcdOutage(etcd: Etcd): Outage {
  return {
    settings: { 'metadata.store': `etcd://${etcd.address}/outage`, 'metadata.dir': '' },
    take: () => etcd.kill(),
    giveBack: () => etcd.start(),
  }
}
