import { spawn } from 'node:child_process'
import { extname, join } from 'node:path'
import { isObject } from '../metadata/shape.ts'
import type { Child, ChildEvents, Ready } from './supervisor.ts'

/** A broker of its own process, which ends when this one is gone, whatever became of it. */
export function spawnBroker(
  args: readonly string[],
  print: (line: string) => void,
  events: ChildEvents,
): Child {
  const main = join(import.meta.dirname, '..', `main${extname(import.meta.filename)}`)
  const { npm_lifecycle_event: _, ...environment } = process.env
  const child = spawn(process.execPath, [main, ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Of a process group of its own: Ctrl-C is this process's to hear, which stops the brokers in order.
    detached: true,
  })
  printLines(child.stdout!, print)
  printLines(child.stderr!, print)
  child.on('message', message => {
    if (isReady(message)) events.ready(message)
  })
  child.on('error', error => print(error.message))
  child.on('close', (code, signal) => events.ended(code, signal))
  return {
    pid: child.pid ?? -1,
    stop() {
      child.kill('SIGTERM')
      // One that was stopped by SIGSTOP hears nothing before it goes on.
      child.kill('SIGCONT')
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

function isReady(message: unknown): message is Ready {
  return isObject(message) && Array.isArray(message['listeners']) && 'http' in message
}

/** Whole lines only: those of several brokers share one terminal. */
function printLines(stream: NodeJS.ReadableStream, print: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines) print(line)
  })
  stream.on('end', () => {
    if (rest !== '') print(rest)
  })
}
