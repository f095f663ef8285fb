import { readdirSync, readFileSync } from 'node:fs'
import { eventually } from './eventually.ts'

/**
 * SIGSTOP, to be followed by SIGCONT or SIGKILL: processes that stand still, and keep their connections and files. Resolves when the last of
 * their threads has noticed, because kill(2) does not wait for that, and what they did until then may be just what they were stopped for.
 */
export async function stopped(pids: readonly number[]): Promise<void> {
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  await eventually('all are stopped', () => pids.every(areThreadsStopped))
}

function areThreadsStopped(pid: number): boolean {
  const tasks = `/proc/${pid}/task`
  try {
    return readdirSync(tasks).every(id =>
      /^State:\s+T/m.test(readFileSync(`${tasks}/${id}/status`, 'utf8')),
    )
  } catch (error) {
    // A thread that ended between the two looks.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code!)) return false
    throw error
  }
}
