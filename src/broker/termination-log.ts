import { writeFileSync } from 'node:fs'
import { refusalOf, terminationLine, type Refusal } from './refusal.ts'

/**
 * Writes why the process ends to `file`, where one is set, and returns it. A file that cannot be written is told on
 * stderr: the reason itself matters more.
 */
export function tellTermination(file: string, error: unknown): Refusal {
  const refusal = refusalOf(error)
  if (file === '') return refusal
  try {
    writeFileSync(file, `${terminationLine(refusal)}\n`)
  } catch (cause) {
    console.error(`termination.log.file ${file} cannot be written: ${String(cause)}`)
  }
  return refusal
}
