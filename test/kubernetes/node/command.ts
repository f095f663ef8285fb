import { execFileSync } from 'node:child_process'

/** Runs a program of the system to its end; throws with what it said. For what takes milliseconds. */
export function command(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** The same for what may be gone already, or not be there yet. Returns whether it worked. */
export function attempt(program: string, ...args: readonly string[]): boolean {
  try {
    command(program, ...args)
    return true
  } catch {
    return false
  }
}
