import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { ByName } from './by-name.ts'

/** By `npm run test:k8s:long`. */
const isLong = process.env['OUTAGE_SECONDS'] !== undefined
const longer = (project: string): string[] =>
  isLong ? [`test/kubernetes/${project}/**/*.long.ts`] : []

/**
 * What runs on a real Kubernetes, by `npm run test:k8s`, one file after another. `fast`: an API server with
 * controllers and scheduler, and no nodes, so that tests say what becomes of pods; one is shared by all files.
 * `nodes`: on three real nodes, which need root.
 */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '../..'),
    pool: 'forks',
    maxWorkers: 1,
    isolate: false,
    // For what hangs, as everywhere.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    setupFiles: ['test/helpers/fixed-seed.ts'],
    sequence: { sequencer: ByName },
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          include: ['test/kubernetes/fast/**/*.test.ts', ...longer('fast')],
          globalSetup: 'test/kubernetes/fast/global-setup.ts',
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'nodes',
          include: ['test/kubernetes/nodes/**/*.test.ts', ...longer('nodes')],
          globalSetup: 'test/kubernetes/nodes/global-setup.ts',
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
