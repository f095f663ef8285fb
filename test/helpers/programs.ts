import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { kitFolder } from '../../tools/clients.ts'
import { run, type RunOptions, type RunResult } from './run.ts'

/** How a fetched program is started; to spawn where `run` does not do. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** kcat with its own libraries. */
export function kcatCommand(): Command {
  const folder = kitFolder('kcat')
  const env = { LD_LIBRARY_PATH: libraryFolders(folder).join(':') }
  return { file: join(folder, 'usr/bin/kcat'), args: [], env }
}

export function kcat(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { file, env } = kcatCommand()
  return run(file, args, { ...options, env: { ...options.env, ...env } })
}

/** Debian keeps libraries in `lib/TRIPLET`, of `/usr` or of `/`. */
function libraryFolders(folder: string): string[] {
  return ['usr/lib', 'lib']
    .map(place => join(folder, place))
    .filter(place => existsSync(place))
    .flatMap(place => readdirSync(place).map(triplet => join(place, triplet)))
}

/** One of Apache Kafka's own tools, by the class that its shell script would start. */
export function javaCommand(mainClass: string): Command {
  const folder = kitFolder('java')
  const logging = `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`
  const quick = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', logging]
  return { file: 'java', args: [...quick, '-cp', join(folder, 'lib', '*'), mainClass], env: {} }
}

export function java(
  mainClass: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const command = javaCommand(mainClass)
  return run(command.file, [...command.args, ...args], { timeoutMs: 120_000, ...options })
}
