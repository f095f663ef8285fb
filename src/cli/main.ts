#!/usr/bin/env node
/**
 * The front door of the room: the one command, the package's `bin` and the image's entrypoint. Each command's code is loaded when it is asked for:
 * a broker has no use for the operator's Kubernetes client, which alone would take longer to load than the broker.
 */
import { packageVersion } from '../env/real/package-version.ts'
import { helpText, readCommandLine, type Command } from './command-line.ts'
import { endAsOthersDo } from './first-process.ts'
import { exitCodes } from '../lib/exit-codes.ts'
import type { Terminal } from './terminal.ts'

interface Runnable extends Command {
  /** Resolves to an exit code, or to nothing where the process lives on. */
  readonly run: (args: readonly string[]) => Promise<number | void>
}

const terminal: Terminal = {
  out: text => console.log(text),
  err: text => console.error(text),
}

const commands: readonly Runnable[] = [
  {
    name: 'broker',
    summary:
      'runs a broker, or several by --brokers N; settings by --config FILE, LOGCLUSTER_* and --set name=value',
    run: async args => (await import('../broker/run.ts')).run(args),
  },
  {
    name: 'operator',
    summary: 'keeps LogClusters, their brokers and their topics as they are wanted',
    run: async args => (await import('../operator/run.ts')).run(args),
  },
  {
    name: 'check',
    summary: 'tells whether a broker with these settings would start here; opens no data',
    run: async args => (await import('../broker/check.ts')).check(args),
  },
  {
    name: 'status',
    summary:
      'one screen of a cluster: brokers, leaders, in-sync replicas, and what a restart would risk',
    run: async args => (await import('./status/status.ts')).runStatus(args, terminal),
  },
  {
    name: 'recover',
    summary: 'retires a lost data directory, or ends a quarantine: what needs a person',
    run: async args => (await import('./recover/recover.ts')).runRecover(args, terminal),
  },
  {
    name: 'export',
    summary: 'prints topics, configs and committed offsets of a cluster as a document',
    run: async args => (await import('./document/commands.ts')).runExport(args, terminal),
  },
  {
    name: 'import',
    summary: 'makes the topics of such a document, and commits its offsets; overwrites nothing',
    run: async args => (await import('./document/commands.ts')).runImport(args, terminal),
  },
  {
    name: 'try',
    summary: 'produces and consumes some records at HOST:PORT',
    run: async args => (await import('./try/try.ts')).runTry(args, terminal),
  },
]

endAsOthersDo(process)
const asked = readCommandLine(process.argv.slice(2), commands)
switch (asked.kind) {
  case 'help':
    terminal.out(helpText(commands))
    break
  case 'version':
    terminal.out(`logcluster ${packageVersion(import.meta.dirname)}`)
    break
  case 'refused':
    terminal.err(asked.problem)
    process.exitCode = exitCodes.usage
    break
  case 'command': {
    // Our clock keeps no process alive, and a command that waits has nothing else that does.
    const alive = setInterval(() => {}, 2 ** 30)
    const { run } = commands.find(({ name }) => name === asked.name)!
    const code = await run(asked.args).finally(() => clearInterval(alive))
    if (code !== undefined) process.exitCode = code
  }
}
