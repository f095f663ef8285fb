import fc from 'fast-check'

/** Properties are asked of the same values in every run; a run with another seed is `LOGCLUSTER_TEST_SEED=N npm test`. */
const seed = Number(process.env['LOGCLUSTER_TEST_SEED'] ?? 20_260_101)

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed })
