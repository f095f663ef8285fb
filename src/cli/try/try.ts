import { NodeNetwork } from '../../env/real/network.ts'
import { realClock } from '../../env/real/clock.ts'
import { realRandom } from '../../env/real/random.ts'
import { exitCodes } from '../../lib/exit-codes.ts'
import type { Address } from '../../env/env.ts'
import { readAddresses } from '../addresses.ts'
import { runCommand, type Terminal } from '../terminal.ts'
import { tryBroker, type TryEnv } from './try-broker.ts'

const usage = `Usage: logcluster try HOST:PORT [--wait=SECONDS]

Produces 100 records to a topic of its own, consumes them, and deletes the topic: with acks=all, through the address that the
cluster tells its clients. Any broker that speaks Kafka's protocol will do.

  --wait=SECONDS  how long to try again what fails and may pass; 10 by default`

interface Wish {
  readonly bootstrap: string
  readonly address: Address
  readonly waitMs: number
}

/** The front door of the room: `logcluster try`, a client that makes a topic of its own, writes to it, reads what it wrote, and removes it. */
export function runTry(args: readonly string[], terminal: Terminal): Promise<number> {
  const env: TryEnv = { network: new NodeNetwork(), clock: realClock, random: realRandom }
  return runCommand(args, terminal, {
    usage,
    read: readWish,
    place: ({ bootstrap }) => bootstrap,
    async act({ address, waitMs }) {
      const { leader, recordCount, produceMs, consumeMs } = await tryBroker(env, address, waitMs)
      const at = `${leader.host}:${leader.port}`
      terminal.out(
        `${at}: ${recordCount} records produced in ${produceMs.toFixed(1)} ms, consumed in ${consumeMs.toFixed(1)} ms`,
      )
      return exitCodes.done
    },
  })
}

/** What is asked for, or what is wrong with how it is asked. */
function readWish(given: readonly string[]): Wish | string {
  const args = given.flatMap((arg, at) => {
    if (arg === '--wait') return `--wait=${given[at + 1] ?? ''}`
    return given[at - 1] === '--wait' ? [] : arg
  })
  const words = args.filter(arg => !arg.startsWith('-'))
  const options = args.filter(arg => arg.startsWith('-'))
  const [bootstrap] = words
  if (bootstrap === undefined || words.length > 1 || bootstrap.includes(',')) {
    return 'logcluster try needs one address, HOST:PORT, of a broker or of a bootstrap Service'
  }
  let waitMs = 10_000
  for (const option of options) {
    const seconds = Number(/^--wait=(\d{1,4})$/.exec(option)?.[1] ?? NaN)
    if (Number.isNaN(seconds)) return `${option} is no option: there is --wait=SECONDS`
    waitMs = seconds * 1000
  }
  const addresses = readAddresses('HOST:PORT', bootstrap)
  return typeof addresses === 'string' ? addresses : { bootstrap, address: addresses[0]!, waitMs }
}
