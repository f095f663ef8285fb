import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** By these variables of its environment a process says what it is, whoever started it, and whoever asks. */
const mark = { folder: 'TEST_CLUSTER_FOLDER', name: 'TEST_CLUSTER_PROCESS' }

export interface DaemonOptions {
  readonly name: string
  readonly program: string
  readonly args: readonly string[]
  /** The cluster's; what the process says is in `log/NAME.log` of it. */
  readonly folder: string
  /** Of `ip netns`, to start it in; by default the one that we are in. */
  readonly networkNamespace?: string | undefined
}

/** A process that its starter can ask about. One that `processesOf` does not find may be at an exec, when it has no environment. */
export interface Daemon {
  readonly hasEnded: boolean
}

/** Starts a process that outlives its starter, so that `npm run cluster -- up` can end and leave it running. */
export function startDaemon(options: DaemonOptions): Daemon {
  const { name, program, args, folder, networkNamespace } = options
  mkdirSync(join(folder, 'log'), { recursive: true })
  const log = openSync(logOf(folder, name), 'a')
  // `ip netns exec` would hide the mounts of cgroups, which kubelet and containerd need.
  const entered = ['nsenter', `--net=/var/run/netns/${networkNamespace}`]
  const [file, ...rest] = [...(networkNamespace === undefined ? [] : entered), program, ...args]
  const child = spawn(file!, rest, {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, [mark.folder]: folder, [mark.name]: name },
  })
  closeSync(log)
  child.unref()
  let hasFailed = false
  child.on('error', error => {
    hasFailed = true
    console.error(`${name}: ${error.message}`)
  })
  return {
    get hasEnded() {
      return hasFailed || child.exitCode !== null || child.signalCode !== null
    },
  }
}

/** The end of what a daemon said. */
export function outputOf(folder: string, name: string): string {
  return readFileSync(logOf(folder, name), 'utf8').slice(-4000)
}

function logOf(folder: string, name: string): string {
  return join(folder, 'log', `${name}.log`)
}

/**
 * The running processes that were started in a cluster's folder, by whatever process, with those that they started;
 * where a name is given, the ones of that name.
 */
export function processesOf(folder: string, name?: string): number[] {
  return readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry))
    .map(Number)
    .filter(pid => {
      const environment = readProc(pid, 'environ').split('\0')
      return (
        pid !== process.pid &&
        environment.includes(`${mark.folder}=${folder}`) &&
        (name === undefined || environment.includes(`${mark.name}=${name}`)) &&
        isRunning(pid)
      )
    })
}

/** Sends a signal to whatever of them still runs. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

/** Kills processes and waits until they are gone. */
export async function killAll(pids: readonly number[]): Promise<void> {
  signalAll(pids, 'SIGKILL')
  if (await ended(pids, 15_000)) return
  throw new Error(`Killed, but not gone: ${pids.filter(isRunning).join(' ')}`)
}

/** Whether they have all ended, after `msMax` at the latest. */
export async function ended(pids: readonly number[], msMax: number): Promise<boolean> {
  const end = performance.now() + msMax
  while (pids.some(isRunning)) {
    if (performance.now() > end) return false
    await sleep(20)
  }
  return true
}

/**
 * One that has ended and that its parent has not yet asked about does not run. While threads of it are left it does,
 * though its first thread has ended: they hold its files and its ports.
 */
export function isRunning(pid: number): boolean {
  const [, state, fields] = /\) ([A-Z]) (.*)/.exec(readProc(pid, 'stat')) ?? []
  if (state === undefined || state === 'X') return false
  return state !== 'Z' || Number(fields!.split(' ')[threadsAt]) > 1
}

/** Where `num_threads` stands behind the state, proc_pid_stat(5). */
const threadsAt = 16

/** Empty where the process has ended, or may not be looked at. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
