/** The process: arguments and environment in, signals, exit codes. Everything else is `broker.ts`. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { Broker } from './broker.ts'
import { ConfigurationError, load, type Loaded } from './config/load.ts'
import { parseEndpoint } from './config/listeners.ts'
import type { Configuration } from './config/settings.ts'
import { openEnv, type OpenedEnv } from './open-env.ts'
import { realClock } from '../env/real/clock.ts'
import { scavengeAlone } from '../env/real/collector.ts'
import { returnAddonsMemory, returnMemoryWhenIdle } from '../env/real/idle-memory.ts'
import { httpApp, serveHttp, type HttpServer } from './telemetry/http.ts'
import { createLogger, type Logger } from './telemetry/logger.ts'
import { watchLoopLag } from './telemetry/loop-lag.ts'
import { Metrics } from './telemetry/metrics.ts'
import { processNumbers } from './process-numbers.ts'
import { welcome } from './welcome.ts'

const exitBadConfiguration = 78 // EX_CONFIG of sysexits.h
const exitFailed = 1

const version = readVersion()
const loaded = loadOrExit()
if (loaded.kind === 'text') console.log(loaded.text)
else await run(loaded.configuration)

async function run(configuration: Configuration): Promise<void> {
  const { settings } = configuration
  const logger = createLogger({ level: settings.logLevel, clock: realClock })
  const opened = openOrExit(configuration, logger)
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
    bootId: readBootId(),
    workingDirectory: process.cwd(),
    hostName: hostname(),
    fatal: error => die(logger, error),
  })
  process.on('uncaughtException', error => die(logger, error))
  process.on('unhandledRejection', error => die(logger, error))
  try {
    const http = await startHttp(settings.httpAddress, metrics, broker)
    endOnSignal({ broker, http, logger })
    await broker.start()
    announce({ broker, http, logger, opened })
  } catch (error) {
    refuse(logger, error)
  }
}

interface Running {
  readonly broker: Broker
  readonly http: HttpServer | null
  readonly logger: Logger
}

function announce({
  broker,
  http,
  logger,
  opened,
}: Running & { readonly opened: OpenedEnv }): void {
  const { listeners } = broker
  const httpAt = http === null ? null : `${http.host}:${http.port}`
  logger.info(
    {
      version,
      listeners: listeners.map(({ host, port }) => `${host}:${port}`),
      http: httpAt,
      dataPath: opened.dataPath,
      crc: opened.crcMethod,
      ...(opened.fallbackReason === null ? {} : { fallbackReason: opened.fallbackReason }),
    },
    'Broker ready',
  )
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

/** SIGTERM and SIGINT stop in order; a second one ends at once. */
function endOnSignal({ broker, http, logger }: Running): void {
  let isStopping = false
  const stop = (signal: string): void => {
    if (isStopping) process.exit(exitFailed)
    isStopping = true
    logger.info({ signal }, 'Stopping')
    broker
      .stop()
      .then(() => http?.close())
      .then(
        () => {
          logger.info({}, 'Stopped')
          process.exit(0)
        },
        (error: unknown) => die(logger, error),
      )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

/** A start that cannot be: what is wrong goes to the log, and the exit code says that it is not a crash. */
function refuse(logger: Logger, error: unknown): never {
  logger.fatal(
    { reason: error instanceof Error ? error.message : String(error) },
    'Could not start',
  )
  process.exit(exitFailed)
}

/** Something broke that nothing may go on after. The data is safe: the next start recovers it. */
function die(logger: Logger, error: unknown): never {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
  logger.fatal({ reason }, 'The broker ends')
  process.exit(exitFailed)
}

function openOrExit({ settings }: Configuration, logger: Logger): OpenedEnv {
  try {
    const opened = openEnv(settings.dataPath)
    if (opened.fallbackReason !== null) {
      logger.warn(
        { reason: opened.fallbackReason },
        'Runs on the TypeScript fallback, without the addon',
      )
    }
    return opened
  } catch (error) {
    return refuse(logger, error)
  }
}

function loadOrExit(): Loaded {
  try {
    return load({
      args: process.argv.slice(2),
      environment: process.env,
      readFile: path => readFileSync(path, 'utf8'),
      version,
      // 0 where it cannot be known.
      memoryBytesMax: process.constrainedMemory() || Infinity,
    })
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    for (const problem of error.problems) console.error(problem)
    process.exit(exitBadConfiguration)
  }
}

/** Changes with each start of the kernel; empty where the system does not tell, which counts as "changed". */
function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

function readVersion(): string {
  for (const up of ['../..', '../../..']) {
    try {
      const file = join(import.meta.dirname, up, 'package.json')
      return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
    } catch {
      continue
    }
  }
  return 'unknown'
}
