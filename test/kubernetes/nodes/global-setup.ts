import type { TestProject } from 'vitest/node'
import { startCluster } from '../cluster.ts'
import { nodeArchive } from '../node/images.ts'
import { whyNoNodes } from '../node/machine.ts'
import { productArchive } from '../node/product-image.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the cluster that the node scenarios share; empty where there is none. */
    readonly nodeClusterFolder: string
    /** Why there is none; empty where there is. */
    readonly noNodes: string
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const noNodes = whyNoNodes() ?? ''
  project.provide('noNodes', noNodes)
  project.provide('nodeClusterFolder', '')
  if (noNodes !== '') return async () => {}
  const cluster = await startCluster()
  project.provide('nodeClusterFolder', cluster.plane.folder)
  try {
    for (const archive of [nodeArchive(), productArchive()]) await cluster.importImage(archive)
  } catch (error) {
    await cluster[Symbol.asyncDispose]()
    throw error
  }
  return async () => cluster[Symbol.asyncDispose]()
}
