import { existsSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { leaveOutVariable, longSuites } from './tools/long-suites.ts'

/** Suites in `test/` that start no process. */
const unitInTest = [
  'test/tidy.test.ts',
  'test/{ports,metadata,model,helpers,operator,simulation}/**/*.test.ts',
  'test/kubernetes/*.test.ts',
]

/**
 * The addon's own suites. Where there is no addon, for want of a compiler or because a run is about the
 * fallback, they are left out and tools/test.ts says so; in CI a missing addon is a failure.
 */
const ofAddon = ['src/broker/native/**/*.test.ts', 'test/ports/native-*.test.ts']
const hasAddon =
  process.env['LOGCLUSTER_NATIVE'] !== 'off' &&
  (process.env['CI'] === 'true' || existsSync('native/build/logcluster.node'))

/** What needs a Kubernetes, and is run by `npm run test:k8s` alone: test/kubernetes/vitest.config.ts. */
const onKubernetes = 'test/kubernetes/{fast,nodes}/**'

/** What tools/test.ts leaves out of a checkout's run, and names at its end. */
const leftOut = process.env[leaveOutVariable] === 'true' ? longSuites.map(({ file }) => file) : []

/**
 * Two projects. `unit`: beside their subjects, pure or on small local files, sharing their modules (a new
 * module graph a file would cost more than the tests). `process`: whatever starts a broker or another
 * process, one file after another, in `test/`. `npm test` runs both; see tools/test.ts.
 */
export default defineConfig({
  test: {
    pool: 'forks',
    // For what hangs. The slowest without a limit of its own takes 10 s on an idle machine; a loaded one is no failure.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    setupFiles: ['test/helpers/fixed-seed.ts'],
    // As in test/simulation/turn.ts: the promises of a simulated process that died end in one, and nobody awaits them.
    onUnhandledError: error => error.name !== 'SimCrash',
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{src,sim,tools,bench}/**/*.test.ts', ...unitInTest],
          exclude: [...(hasAddon ? [] : ofAddon), ...leftOut],
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'process',
          include: ['test/**/*.test.ts'],
          exclude: [...unitInTest, onKubernetes, ...leftOut],
          isolate: false,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
