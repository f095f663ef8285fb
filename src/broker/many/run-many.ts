/** Some brokers of one machine as one command: each a process, in a cluster through a folder that they share. */
import { exitCodes } from '../../lib/exit-codes.ts'
import { createServer } from 'node:net'
import { realClock } from '../../env/real/clock.ts'
import { realRandom } from '../../env/real/random.ts'
import { parseEndpoint } from '../config/listeners.ts'
import type { Configuration } from '../config/settings.ts'
import { makeCredentials } from './credentials.ts'
import { plan, type PlannedBroker } from './plan.ts'
import { spawnBroker } from './spawned-broker.ts'
import { Supervisor } from './supervisor.ts'
import { welcomeToMany } from './welcome-to-many.ts'

/**
 * The front door of the room: runs `count` brokers until a signal stops them; it ends the process itself. Each is a process like any
 * other broker's and knows nothing of this one; whoever dies starts again, and a stop takes one after the other (`Supervisor`).
 */
export async function runMany(
  count: number,
  configuration: Configuration,
  args: readonly string[],
): Promise<void> {
  const planned = plan(count, configuration)
  if (typeof planned === 'string') return refuse(planned, exitCodes.usage)
  const { brokers, metadataDir, credentialsDir } = planned
  const taken = await firstTaken(brokers)
  if (taken !== null) return refuse(taken, exitCodes.failed)
  const unkept = makeCredentials(credentialsDir, realRandom)
  if (unkept !== null) return refuse(unkept, exitCodes.failed)
  // Our clock keeps no process alive, and there may be a moment without a child.
  setInterval(() => {}, 2 ** 30)
  const supervisor = new Supervisor({
    clock: realClock,
    count,
    start: (id, events) => {
      const own = brokers[id]!.settings.flatMap(setting => ['--set', setting])
      return spawnBroker([...args, ...own], line => console.log(`broker ${id} | ${line}`), events)
    },
    say: console.log,
    welcome: ready => console.log(welcomeToMany(ready, metadataDir)),
    end: code => process.exit(code),
  })
  let isStopping = false
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // A terminal that is closed may say so twice.
      if (isStopping && signal === 'SIGHUP') return
      isStopping = true
      console.log(`${signal}: the brokers stop one after the other. Once more ends them at once.`)
      supervisor.stop()
    })
  }
  supervisor.start()
}

function refuse(problem: string, exitCode: number): void {
  console.error(problem)
  process.exitCode = exitCode
}

/** The first address that cannot be listened at, as a sentence with a remedy; null where all can. */
async function firstTaken(brokers: readonly PlannedBroker[]): Promise<string | null> {
  for (const { id, addresses } of brokers) {
    for (const { setting, text } of addresses) {
      const { host, port } = parseEndpoint(setting, text)
      const code = await failureAt(host, port)
      if (code === null) continue
      const why = code === 'EADDRINUSE' ? 'another process has it' : code
      return (
        `Broker ${id} cannot listen at ${text}: ${why}. End what listens there, or give the first broker another ` +
        `place (--set ${given(setting)}): the ports of the others follow it.`
      )
    }
  }
  return null
}

/** The private listener's port follows that of clients. */
function given(setting: string): string {
  return setting === 'http.address'
    ? 'http.address=127.0.0.1:PORT'
    : 'listeners=PLAINTEXT://127.0.0.1:PORT'
}

function failureAt(host: string, port: number): Promise<string | null> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ port, ...(host === '' ? {} : { host }) }, () => {
      server.close(() => resolve(null))
    })
  })
}
