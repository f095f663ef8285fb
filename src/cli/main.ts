#!/usr/bin/env node
/**
 * The one command: the package's `bin` and the image's entrypoint. Each command's code is loaded when it is asked for:
 * a broker has no use for the operator's Kubernetes client, which alone would take longer to load than the broker.
 */
import { packageVersion } from '../env/real/package-version.ts'
import { helpText, readCommandLine, type Command } from './command-line.ts'

const exitUsage = 64 // EX_USAGE of sysexits.h

interface Runnable extends Command {
  readonly run: (args: readonly string[]) => Promise<void>
}

const commands: readonly Runnable[] = [
  {
    name: 'broker',
    summary: 'runs a broker; settings by --config FILE, LOGCLUSTER_* and --set name=value',
    run: async args => {
      process.argv.splice(2, process.argv.length, ...args)
      await import('../broker/main.ts')
    },
  },
]

const asked = readCommandLine(process.argv.slice(2), commands)
switch (asked.kind) {
  case 'help':
    console.log(helpText(commands))
    break
  case 'version':
    console.log(`logcluster ${packageVersion(import.meta.dirname)}`)
    break
  case 'refused':
    console.error(asked.problem)
    process.exitCode = exitUsage
    break
  case 'command':
    await commands.find(({ name }) => name === asked.name)!.run(asked.args)
}
