import { readFile } from 'node:fs/promises'
import { stdin } from 'node:process'
import { text } from 'node:stream/consumers'
import { Connections } from '../../broker/wire/client/connections.ts'
import { retrying } from '../../broker/wire/client/retrying.ts'
import { NodeNetwork } from '../../env/real/network.ts'
import { realClock } from '../../env/real/clock.ts'
import { realRandom } from '../../env/real/random.ts'
import { exitCodes } from '../../lib/exit-codes.ts'
import { runCommand, type Terminal } from '../terminal.ts'
import { documentText, parseDocument } from './document.ts'
import { importDocument } from './import-document.ts'
import { readContent } from './read-cluster.ts'
import { readExportWish, readImportWish, type Wish } from './wish.ts'

const exportUsage = `Usage: logcluster export [HOST:PORT,...]

Prints topics with their configs, and the committed offsets of all groups, as a document of JSON that \`logcluster import\` reads. No records
are in it, and no passwords. Any address of any broker will do; 127.0.0.1:9092 by default. Every partition of
__consumer_offsets has to have a leader that answers and knows its groups, or nothing is printed: a document without some of the groups would
look whole. Brokers that are away and lead none of them are not missed.`

const importUsage = `Usage: logcluster import FILE [HOST:PORT,...] [--topics-only]

Makes the topics of a document of \`logcluster export\`, and commits its offsets; - reads it from standard input. What is there and the same is
kept, so that an import that was interrupted can be repeated. Where something is there and another, a sentence says what, and nothing is done.

  --topics-only  leaves out the offsets, which mean nothing before the records are there again`

const timeoutMs = 30_000
const env = { network: new NodeNetwork(), clock: realClock, random: realRandom }

/**
 * The front door of the room: `logcluster export`, and `import` below. A document has topics, configs and committed offsets, no record and no
 * password; an import keeps what is there and the same, and does nothing where something is there and another.
 */
export function runExport(args: readonly string[], terminal: Terminal): Promise<number> {
  const act = told(terminal, exported)
  return runCommand(args, terminal, { usage: exportUsage, read: readExportWish, act })
}

/** `logcluster import`. */
export function runImport(args: readonly string[], terminal: Terminal): Promise<number> {
  const act = told(terminal, imported)
  return runCommand(args, terminal, { usage: importUsage, read: readImportWish, act })
}

/** Resolves to what to print. */
type Act = (wish: Wish, connections: Connections) => Promise<string>

/** Does `act`, connected as the wish says, and prints what it tells. */
function told(terminal: Terminal, act: Act): (wish: Wish) => Promise<number> {
  return async wish => {
    const { bootstrap } = wish
    const client = { clientId: 'logcluster-document', requestTimeoutMs: timeoutMs }
    using connections = new Connections(env, { bootstrap, client })
    terminal.out(await act(wish, connections))
    return exitCodes.done
  }
}

async function exported(_: Wish, connections: Connections): Promise<string> {
  const content = await retrying({ ...env, timeoutMs }, () => readContent(connections))
  const exportedAt = new Date(realClock.now()).toISOString()
  return documentText({ exportedAt, ...content }).trimEnd()
}

async function imported(wish: Wish, connections: Connections): Promise<string> {
  const document = parseDocument(await textOf(wish.file))
  if (typeof document === 'string') throw new Error(`${wish.file}: ${document}`)
  const wanted = wish.isTopicsOnly ? { ...document, groups: [] } : document
  const { create, commit, keptTopicCount, keptOffsetCount } = await importDocument(
    env,
    connections,
    wanted,
  )
  const committed = commit.reduce((sum, { offsets }) => sum + offsets.length, 0)
  return `Topics made: ${create.length}, there already: ${keptTopicCount}. Offsets committed: ${committed}, there already: ${keptOffsetCount}.`
}

/** Standard input may be a pipe or a terminal that has nothing yet: read at once it would fail (EAGAIN). */
function textOf(file: string): Promise<string> {
  return file === '-' ? text(stdin) : readFile(file, 'utf8')
}
