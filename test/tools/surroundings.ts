import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { kitFolder } from '../../tools/clients.ts'
import { fileOf, type Site } from './job.ts'

/** A program around Kafka that goes on until it is told to end. */
export class Program {
  said = ''
  readonly #child: ChildProcess
  readonly #ended: Promise<void>

  constructor(mainClass: string, args: readonly string[]) {
    const kit = kitFolder('surroundings')
    const logging = `-Dlog4j2.configurationFile=${join(kit, 'log4j2.properties')}`
    const java = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', logging]
    const command = [...java, '-cp', join(kit, 'lib', '*'), mainClass, ...args]
    // It must not outlive this process.
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', 'java', ...command])
    const take = (bytes: Buffer): void => void (this.said = (this.said + bytes).slice(-20_000))
    this.#child.stdout!.on('data', take)
    this.#child.stderr!.on('data', take)
    this.#ended = new Promise(resolve => this.#child.once('close', () => resolve()))
  }

  /** Waits for what the program brings about; its last words are in the error where it does not. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 120_000
    while (!(await holds())) {
      const hasEnded = this.#child.exitCode !== null
      if (hasEnded || Date.now() > deadline) {
        const why = hasEnded ? `it ended with ${this.#child.exitCode}` : 'not within 120 s'
        throw new Error(`${what}: ${why}; ${this.said.slice(-1500)}`)
      }
      await sleep(200)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM')
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 20_000)
    await this.#ended
    clearTimeout(late)
  }
}

export function writeProperties(
  site: Site,
  name: string,
  properties: Readonly<Record<string, string>>,
): string {
  const file = fileOf(site, name)
  const lines = Object.entries(properties).map(pair => `${pair.join('=')}\n`)
  writeFileSync(file, lines.join(''))
  return file
}

export function appendLines(file: string, lines: readonly string[]): void {
  appendFileSync(file, lines.map(line => `${line}\n`).join(''))
}

export function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
}
