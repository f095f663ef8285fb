import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestBroker } from './broker.ts'

/** Where a broker keeps a partition, `TOPIC-PARTITION`; a folder that was set aside is none. */
export function replicaFolder({ dataDir }: TestBroker, partition: string): string {
  const isIt = (name: string): boolean => name.startsWith(`${partition}.`) && !isStray(name)
  return join(dataDir, readdirSync(dataDir).find(isIt) ?? 'no folder')
}

export const isStray = (name: string): boolean => name.includes('.stray')

/** The log of a partition, its segments one after the other, as it lies on a broker's disk now. */
export function replicaBytes(broker: TestBroker, partition: string): Buffer {
  const path = replicaFolder(broker, partition)
  const segments = readdirSync(path).filter(name => name.endsWith('.log'))
  return Buffer.concat(segments.toSorted().map(name => readFileSync(join(path, name))))
}
