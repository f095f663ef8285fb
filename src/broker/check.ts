import { exitCodes } from '../lib/exit-codes.ts'
import { ConfigurationError, type Loaded } from './config/load.ts'
import type { Settings } from './config/settings.ts'
import { defaultsOfMany, plan, takeBrokers } from './many/plan.ts'
import { openEnv } from './open-env.ts'
import { loadHere } from './process-facts.ts'
import { tellTermination } from './termination-log.ts'

/**
 * Whether a broker with these arguments, in this environment, would get as far as its data directory: the command
 * `logcluster check`, run before a restart that could fail. It opens no data directory and no address. What is wrong is
 * told on stderr and to the termination log, as a broker that refuses to start tells it.
 * @returns the exit code: 0, or the one that the broker would end with
 */
export function check(args: readonly string[]): number {
  const { count, rest } = takeBrokers(args)
  let loaded: Loaded
  try {
    if (typeof count === 'string') throw new ConfigurationError([count])
    loaded = loadHere(rest, count === null ? {} : defaultsOfMany(count))
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    for (const problem of error.problems) console.error(problem)
    return tellTermination(error.terminationLogFile, error).exitCode
  }
  if (loaded.kind === 'text') {
    console.log(loaded.text)
    return exitCodes.done
  }
  const planned = count === null ? null : plan(count, loaded.configuration)
  if (typeof planned === 'string') {
    console.error(planned)
    return exitCodes.usage
  }
  return checkMachine(loaded.configuration.settings)
}

function checkMachine({ dataPath, terminationLogFile }: Settings): number {
  try {
    const opened = openEnv(dataPath)
    const fallback = opened.fallbackReason === null ? '' : `, because ${opened.fallbackReason}`
    console.log('The configuration can be used.')
    console.log(`Data path: ${opened.dataPath}${fallback}. CRC-32C: ${opened.crcMethod}.`)
    console.log(`Page cache as told by: ${opened.env.disk.pageCacheSource}.`)
    return 0
  } catch (error) {
    const refusal = tellTermination(terminationLogFile, error)
    console.error(refusal.message)
    return refusal.exitCode
  }
}
