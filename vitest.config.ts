import { defineConfig } from 'vitest/config'

/** Unit tests sit beside their subject; what crosses layers lives in test/. Suites that need a real process have projects of their own. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'sim/**/*.test.ts', 'test/**/*.test.ts', 'tools/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
  },
})
