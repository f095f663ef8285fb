/** A broker as a process: arguments and environment in, signals, exit codes. Everything else is `broker.ts`. */
import { exitCodes } from '../lib/exit-codes.ts'
import { hostname } from 'node:os'
import { Broker } from './broker.ts'
import { ConfigurationError, type Loaded } from './config/load.ts'
import { parseEndpoint } from './config/listeners.ts'
import type { Configuration, Settings } from './config/settings.ts'
import { isFailedDirectory } from './log/directory/error.ts'
import { openEnv, type OpenedEnv } from './open-env.ts'
import { sleep } from '../env/clock.ts'
import { realClock } from '../env/real/clock.ts'
import { scavengeAlone } from '../env/real/collector.ts'
import { printToAnybody } from '../env/real/output.ts'
import { returnAddonsMemory, returnMemoryWhenIdle } from '../env/real/idle-memory.ts'
import { httpApp, serveHttp, type HttpServer } from './telemetry/http.ts'
import { createLogger, type Logger } from './telemetry/logger.ts'
import { watchLoopLag } from './telemetry/loop-lag.ts'
import { Metrics } from './telemetry/metrics.ts'
import { defaultsOfMany, takeBrokers } from './many/plan.ts'
import { runMany } from './many/run-many.ts'
import type { Ready } from './many/supervisor.ts'
import { bootId, loadHere, softwareVersion } from './process-facts.ts'
import { processNumbers } from './process-numbers.ts'
import { tellTermination } from './termination-log.ts'
import { welcome } from './welcome.ts'

/** Longer than Prometheus waits from one scrape to the next by default. */
const askableMs = 75_000

/** Runs a broker by the arguments and the environment until a signal stops it; it ends the process itself. */
export async function run(args: readonly string[]): Promise<void> {
  printToAnybody()
  const { count, rest } = takeBrokers(args)
  if (typeof count === 'string') exitBy(new ConfigurationError([count]))
  const loaded = loadOrExit(rest, count === null ? {} : defaultsOfMany(count))
  if (loaded.kind === 'text') console.log(loaded.text)
  else if (count !== null) await runMany(count, loaded.configuration, rest)
  else await runBroker(loaded.configuration)
}

/** Where this is one of several brokers of one command, that command hears what it says, and takes it along. */
function tellParent(facts: Ready): void {
  process.send?.(facts)
}

async function runBroker(configuration: Configuration): Promise<void> {
  const { settings } = configuration
  const version = softwareVersion()
  const logger = createLogger({ level: settings.logLevel, clock: realClock })
  const end: Ending = { logger, terminationLog: settings.terminationLogFile }
  const opened = openOrExit(configuration, end)
  const metrics = new Metrics()
  metrics.attach({
    build: () => ({ version, node: process.version }),
    dataPath: () => ({ network: opened.dataPath, disk: opened.dataPath, crc: opened.crcMethod }),
    process: processNumbers,
  })
  watchLoopLag(realClock, seconds => metrics.loopLag(seconds))
  scavengeAlone()
  returnAddonsMemory()
  returnMemoryWhenIdle(realClock)
  const broker = new Broker({
    env: opened.env,
    configuration,
    logger,
    metrics,
    version,
    bootId: bootId(),
    workingDirectory: process.cwd(),
    hostName: hostname(),
    fatal: error => die(end, error),
  })
  process.on('uncaughtException', error => die(end, error))
  process.on('unhandledRejection', error => die(end, error))
  // Our clock keeps no process alive, and who waits for the metadata store has nothing else yet.
  const alive = setInterval(() => {}, 2 ** 30)
  const stopping = { hasBegun: false }
  let http: HttpServer | null = null
  try {
    http = await startHttp(settings.httpAddress, metrics, broker)
    endOnSignal({ broker, http, end }, stopping)
    await broker.start()
    announce({ broker, http, end, opened, version })
  } catch (error) {
    const isTold = http !== null && end.terminationLog === '' && isFailedDirectory(error)
    if (isTold) await letAsk(end, error)
    // A start that a signal cut short is no refusal: whoever stops it ends the process.
    if (!stopping.hasBegun) refuse(end, error)
  } finally {
    clearInterval(alive)
  }
}

/** What the end of the process is told to. */
interface Ending {
  readonly logger: Logger
  /** A file; empty: none. */
  readonly terminationLog: string
}

interface Running {
  readonly broker: Broker
  readonly http: HttpServer | null
  readonly end: Ending
}

function announce({
  broker,
  http,
  end,
  opened,
  version,
}: Running & { readonly opened: OpenedEnv; readonly version: string }): void {
  const { listeners } = broker
  const httpAt = http === null ? null : `${http.host}:${http.port}`
  end.logger.info(
    {
      version,
      listeners: listeners.map(({ host, port }) => `${host}:${port}`),
      http: httpAt,
      dataPath: opened.dataPath,
      crc: opened.crcMethod,
      pageCache: broker.status.pageCacheSource,
      ...(opened.fallbackReason === null ? {} : { fallbackReason: opened.fallbackReason }),
    },
    'Broker ready',
  )
  tellParent({ listeners: listeners.map(({ host, port }) => `${host}:${port}`), http: httpAt })
  if (process.stdout.isTTY || process.env['npm_lifecycle_event'] === 'start') {
    console.log(welcome({ listeners, http: httpAt, dataPath: opened.dataPath }))
  }
}

async function startHttp(
  address: string,
  metrics: Metrics,
  broker: Broker,
): Promise<HttpServer | null> {
  if (address === '') return null
  const { host, port } = parseEndpoint('http.address', address)
  return serveHttp(httpApp(metrics, broker.probes), host, port)
}

/**
 * SIGTERM and SIGINT stop in order; a second one ends at once. A terminal that is closed says SIGHUP, and may say so twice; neither that
 * nor the end of the command that started this is a second wish.
 */
function endOnSignal({ broker, http, end }: Running, stopping: { hasBegun: boolean }): void {
  const { logger } = end
  const stop = (signal: string): void => {
    if (stopping.hasBegun) process.exit(exitCodes.failed)
    stopping.hasBegun = true
    logger.info({ signal }, 'Stopping')
    broker
      .stop()
      .then(() => http?.close())
      .then(
        () => {
          logger.info({}, 'Stopped')
          process.exit(0)
        },
        (error: unknown) => die(end, error),
      )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  const stopUnlessBegun = (why: string): void => {
    if (!stopping.hasBegun) stop(why)
  }
  process.on('SIGHUP', stopUnlessBegun)
  process.once('disconnect', () => stopUnlessBegun('the end of the command that started it'))
}

/**
 * Where nobody reads a termination log, metrics and probes tell that the disk failed: an alert has to name it, and a process that ends
 * at once is never scraped.
 */
async function letAsk({ logger }: Ending, { message: reason }: Error): Promise<void> {
  const seconds = askableMs / 1000
  logger.fatal({ reason, seconds }, 'The disk failed: tells so over HTTP for a while, and ends')
  await sleep(realClock, askableMs)
}

/** A start that cannot be. */
function refuse({ logger, terminationLog }: Ending, error: unknown): never {
  logger.fatal(
    { reason: error instanceof Error ? error.message : String(error) },
    'Could not start',
  )
  process.exit(tellTermination(terminationLog, error).exitCode)
}

/** Something broke that nothing may go on after. The data is safe: the next start recovers it. */
function die({ logger, terminationLog }: Ending, error: unknown): never {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
  logger.fatal({ reason }, 'The broker ends')
  tellTermination(terminationLog, error)
  process.exit(exitCodes.failed)
}

function openOrExit({ settings }: Configuration, end: Ending): OpenedEnv {
  try {
    const opened = openEnv(settings.dataPath)
    if (opened.fallbackReason !== null) {
      end.logger.warn(
        { reason: opened.fallbackReason },
        'Runs on the TypeScript fallback, without the addon',
      )
    }
    return opened
  } catch (error) {
    return refuse(end, error)
  }
}

function loadOrExit(args: readonly string[], defaults: Partial<Settings>): Loaded {
  try {
    return loadHere(args, defaults)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return exitBy(error)
  }
}

function exitBy(error: ConfigurationError): never {
  for (const problem of error.problems) console.error(problem)
  process.exit(tellTermination(error.terminationLogFile, error).exitCode)
}
