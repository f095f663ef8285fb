#!/usr/bin/env node
/**
 * The front door of the room: `kubectl logcluster`. kubectl runs what is called kubectl-logcluster on the PATH. Whatever it looks at or
 * changes goes through the user's own kubectl: it may do what that user may, and has no credentials of its own.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { dirname, join } from 'node:path'
import { packageVersion } from '../../env/real/package-version.ts'
import { realClock } from '../../env/real/clock.ts'
import { exitCodes } from '../../lib/exit-codes.ts'
import { adopt } from './adopt.ts'
import { readArguments, usage, type Wish } from './arguments.ts'
import { drain, rebalance, replace, restart } from './change.ts'
import { importText } from './document.ts'
import { planText } from './plan.ts'
import { reportFiles, type ReportFile } from './report.ts'
import { SpawnedKubectl } from './spawned-kubectl.ts'
import { statusText } from './status.ts'

const read = readArguments(process.argv.slice(2))
switch (read.kind) {
  case 'help':
    console.log(usage)
    break
  case 'version':
    console.log(`kubectl-logcluster ${packageVersion(import.meta.dirname)}`)
    break
  case 'refused':
    console.error(read.problem)
    process.exitCode = exitCodes.usage
    break
  case 'wish':
    process.exitCode = await carryOut(read.wish)
}

async function carryOut(wish: Wish): Promise<number> {
  try {
    console.log(await answer(wish))
    return exitCodes.done
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    return exitCodes.failed
  }
}

function answer(wish: Wish): Promise<string> {
  const { verb, scope, broker } = wish
  const kubectl = new SpawnedKubectl(process.env['KUBECTL'] ?? 'kubectl', wish.connection)
  const nowMs = realClock.now()
  if (verb === 'status') return statusText(kubectl, { name: wish.name, scope, nowMs })
  const name = wish.name!
  if (verb === 'plan') return planText(kubectl, { name, scope })
  if (verb === 'adopt') return adopt(kubectl, { name, scope })
  if (verb === 'drain' || verb === 'undrain') {
    return drain(kubectl, { name, isWanted: verb === 'drain', scope })
  }
  if (verb === 'restart') return restart(kubectl, { name, broker, scope, nowMs })
  if (verb === 'rebalance') {
    return rebalance(kubectl, { name, state: wish.state, throttle: wish.throttle, scope })
  }
  if (verb === 'replace') {
    return replace(kubectl, { name, acceptsDataLoss: wish.acceptDataLoss !== null, scope })
  }
  const at = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const folder = wish.output ?? `logcluster-report-${name}-${at}`
  if (verb === 'import') {
    const { isTopicsOnly } = wish
    // Standard input may have nothing yet: read at once it would fail (EAGAIN).
    const read = wish.input === '-' ? text(process.stdin) : readFile(wish.input!, 'utf8')
    return read.then(document => importText(kubectl, { name, scope, isTopicsOnly }, document))
  }
  return reportFiles(kubectl, { name, scope, isExport: wish.isExport }).then(files =>
    write(folder, files),
  )
}

function write(folder: string, files: readonly ReportFile[]): string {
  for (const { path, text } of files) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  const errors = files.some(({ path }) => path === 'errors.txt')
  const hint = errors ? ' What could not be had is told in errors.txt.' : ''
  return `${files.length} files in ${folder}; look through them before you send them to anybody.${hint}`
}
