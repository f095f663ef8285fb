import type { TestProject } from 'vitest/node'
import { startControlPlane } from '../cluster.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the control plane that the fast scenarios share. */
    readonly controlPlaneFolder: string
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // The suite on nodes is set up by the same process, which knows nothing of this one's names.
  const name = `fast-${process.pid}`
  const plane = await startControlPlane({ name, controllers: true, scheduler: true })
  project.provide('controlPlaneFolder', plane.folder)
  return async () => plane[Symbol.asyncDispose]()
}
