/** The operator's process: arguments and environment in, signals, exit codes. Everything else is `operator.ts`. */
import { exitCodes } from '../lib/exit-codes.ts'
import { hostname } from 'node:os'
import { processNumbers } from '../broker/process-numbers.ts'
import { serveHttp, type HttpServer } from '../broker/telemetry/http.ts'
import { createLogger, type Logger } from '../broker/telemetry/logger.ts'
import { realClock } from '../env/real/clock.ts'
import { returnMemoryWhenIdle } from '../env/real/idle-memory.ts'
import { NodeNetwork } from '../env/real/network.ts'
import { packageVersion } from '../env/real/package-version.ts'
import { realRandom } from '../env/real/random.ts'
import { ArgumentError, operatorHelp, readArguments, type OperatorArguments } from './arguments.ts'
import { WireBrokers } from './brokers/wire-brokers.ts'
import { operatorHttp } from './http.ts'
import { inCluster, type CredentialSource } from './kubernetes/credentials.ts'
import { kubeconfig } from './kubernetes/kubeconfig.ts'
import { Transport } from './kubernetes/transport.ts'
import { OperatorMetrics } from './metrics.ts'
import { controllerNames, Operator } from './operator.ts'
import { reconcilers } from './reconcilers.ts'

/** Starts the operator; it runs until a signal ends the process. */
export async function run(args: readonly string[]): Promise<void> {
  const settings = argumentsOrExit(args)
  if (settings === 'help') return console.log(operatorHelp)
  const logger = createLogger({ level: settings.logLevel, clock: realClock })
  const fatal = (error: unknown): never => die(logger, error)
  process.on('uncaughtException', fatal)
  process.on('unhandledRejection', fatal)
  // A thousand topics that come at once leave a heap that is twice as large as what is in it.
  returnMemoryWhenIdle(realClock)
  const version = packageVersion(import.meta.dirname)
  const env = { clock: realClock, random: realRandom, network: new NodeNetwork() }
  const source = credentials(settings)
  const userAgent = `logcluster-operator/${version}`
  const transport = new Transport({ source, clock: realClock, userAgent })
  const brokers = new WireBrokers(env)
  const metrics = new OperatorMetrics(controllerNames)
  metrics.attach({ build: { version, node: process.version }, process: processNumbers })
  const operator = new Operator({
    env,
    sender: transport,
    brokers,
    logger,
    version,
    metrics,
    watchNamespaces: settings.watchNamespaces,
    defaultImage: settings.defaultImage,
    lease: { namespace: settings.leaseNamespace, name: settings.leaseName },
    instance: process.env['POD_NAME'] ?? hostname(),
    reconcilers,
    fatal,
  })
  const http = await serve(settings, metrics, operator).catch(fatal)
  const { watchNamespaces } = settings
  logger.info({ version, http: `${http.host}:${http.port}`, watchNamespaces }, 'Starts')
  operator.start()
  endOnSignal(logger, async () => {
    await operator.stop()
    brokers.close()
    await transport.close()
    await http.close()
  })
}

function serve(
  { httpHost, httpPort }: OperatorArguments,
  metrics: OperatorMetrics,
  operator: Operator,
): Promise<HttpServer> {
  const probes = { missing: () => operator.missing(), isLeading: () => operator.isLeading }
  return serveHttp(operatorHttp(metrics, probes), httpHost, httpPort)
}

/** SIGTERM and SIGINT stop in order; a second one ends at once. */
function endOnSignal(logger: Logger, stop: () => Promise<void>): void {
  let isStopping = false
  const end = (signal: string): void => {
    if (isStopping) process.exit(exitCodes.failed)
    isStopping = true
    logger.info({ signal }, 'Stopping')
    stop().then(
      () => {
        logger.info({}, 'Stopped')
        process.exit(0)
      },
      (error: unknown) => die(logger, error),
    )
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
}

/** The pod's service account, unless a kubeconfig is named or this is no pod. */
function credentials(settings: OperatorArguments): CredentialSource {
  const host = process.env['KUBERNETES_SERVICE_HOST']
  const port = process.env['KUBERNETES_SERVICE_PORT']
  if (settings.kubeconfig !== null || host === undefined || port === undefined) {
    return kubeconfig(settings.kubeconfig)
  }
  return inCluster({ host, port })
}

/** Nothing may go on after it; what was begun is found and finished by the next process. */
function die(logger: Logger, error: unknown): never {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
  logger.fatal({ reason }, 'The operator ends')
  process.exit(exitCodes.failed)
}

function argumentsOrExit(args: readonly string[]): OperatorArguments | 'help' {
  try {
    return readArguments(args, process.env)
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error
    console.error(error.message)
    process.exit(exitCodes.badConfiguration)
  }
}
