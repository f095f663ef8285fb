import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ending } from '../../bench/versus-kafka/ending.ts'

/** Starts a process that starts one, makes a folder, says what there is, and waits to be ended. */
const ending = new Ending()
const folder = mkdtempSync(join(tmpdir(), 'logcluster-ending-'))
ending.mustUndo(() => rmSync(folder, { recursive: true }))
let isFirst = true
ending.mustUndo(() => {
  if (!isFirst) return
  isFirst = false
  throw new Error('held for a moment longer')
})
const child = spawn('sh', ['-c', 'sleep 600 & echo $!; wait'])
child.stdout.once('data', (grandchild: Buffer) => {
  console.log(JSON.stringify({ folder, pids: [child.pid, Number(String(grandchild))] }))
})
