import { Connections } from '../../broker/wire/client/connections.ts'
import { NodeNetwork } from '../../env/real/network.ts'
import { realClock } from '../../env/real/clock.ts'
import { realRandom } from '../../env/real/random.ts'
import type { Address } from '../../env/env.ts'
import { exitCodes } from '../../lib/exit-codes.ts'
import { readAddresses } from '../addresses.ts'
import { runCommand, type Terminal } from '../terminal.ts'
import { healthOf } from './health.ts'
import { readCluster } from './read-cluster.ts'
import { screenOf } from './screen.ts'

const usage = `Usage: logcluster status [HOST:PORT,...] [--json]

One screen of a cluster: its brokers, what each leads and has in sync, who is the controller, which partitions are not in full health, and
what a restart of each broker would risk. Any address of any broker will do; 127.0.0.1:9092 by default. It ends with 1 where a partition
has no leader or too few replicas in sync, and with 69 where no broker could be asked, so that a script can go by it.

  --bootstrap-server HOST:PORT,...  the same as the word
  --json                            the same as one line of JSON`

const requestTimeoutMs = 10_000

interface Wish {
  readonly bootstrap: string
  readonly addresses: readonly Address[]
  readonly isJson: boolean
}

/** The front door of the room: `logcluster status`, which asks brokers by their clients' listener, as any client may, and changes nothing. */
export function runStatus(args: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand(args, terminal, {
    usage,
    read: readWish,
    place: ({ bootstrap }) => bootstrap,
    thrown: exitCodes.unavailable,
    async act(wish) {
      const health = healthOf(await read(wish.addresses))
      terminal.out(wish.isJson ? JSON.stringify(health) : screenOf(health))
      const isSound = health.offlineCount === 0 && health.underMinCount === 0
      return isSound ? exitCodes.done : exitCodes.failed
    },
  })
}

async function read(bootstrap: readonly Address[]): ReturnType<typeof readCluster> {
  const env = { network: new NodeNetwork(), clock: realClock, random: realRandom }
  const client = { clientId: 'logcluster-status', requestTimeoutMs }
  using connections = new Connections(env, { bootstrap, client })
  return await readCluster(await connections.any())
}

/** What is asked for, or what is wrong with how it is asked. */
export function readWish(args: readonly string[]): Wish | string {
  let bootstrap: string | null = null
  let isJson = false
  const rest = args.flatMap(arg => {
    const value = /^--bootstrap-server=(.*)$/s.exec(arg)?.[1]
    return value === undefined ? [arg] : ['--bootstrap-server', value]
  })
  for (let at = 0; at < rest.length; at++) {
    const arg = rest[at]!
    if (arg === '--json') {
      isJson = true
      continue
    }
    const word = arg === '--bootstrap-server' ? rest[++at] : arg
    if (word === undefined) return '--bootstrap-server needs an address after it: HOST:PORT'
    if (word.startsWith('-')) {
      return `${word} is no option: there are --bootstrap-server HOST:PORT,... and --json`
    }
    if (bootstrap !== null) return 'logcluster status takes one list of addresses: HOST:PORT,...'
    bootstrap = word
  }
  bootstrap ??= '127.0.0.1:9092'
  const addresses = readAddresses('HOST:PORT', bootstrap)
  return typeof addresses === 'string' ? addresses : { bootstrap, addresses, isJson }
}
