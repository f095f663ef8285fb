import type { TestProject } from 'vitest/node'
import { startControlPlane } from '../cluster.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the control plane that the fast scenarios share. */
    readonly controlPlaneFolder: string
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const plane = await startControlPlane({ controllers: true, scheduler: true })
  project.provide('controlPlaneFolder', plane.folder)
  return async () => plane[Symbol.asyncDispose]()
}
