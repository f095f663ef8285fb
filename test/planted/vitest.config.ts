import { defineConfig } from 'vitest/config'
import { bugCalled, planted, plantedVariable } from './patch.ts'

const bug = bugCalled(process.env[plantedVariable] ?? '')

/** Runs unit tests over the product with one bug in it. */
export default defineConfig({
  plugins: [
    {
      name: 'planted',
      enforce: 'pre',
      transform: (source, id) => planted(bug, id, source),
    },
  ],
  test: {
    root: `${import.meta.dirname}/../..`,
    include: ['{src,test}/**/*.test.ts'],
    setupFiles: ['test/helpers/fixed-seed.ts'],
    pool: 'forks',
    maxWorkers: 1,
    // What one bug has made of a module is not for the next.
    fsModuleCache: false,
    testTimeout: 120_000,
  },
})
