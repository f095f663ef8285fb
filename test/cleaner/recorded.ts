import { readFileSync, writeFileSync } from 'node:fs'
import type { Findings } from './compacted-topic.ts'

const file = new URL('recorded/kafka-4.3.1.json', import.meta.url)

/** What Apache Kafka's cleaner left in each scenario when it was asked last. */
export function readRecorded(): Readonly<Record<string, Findings>> {
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, Findings>
}

/** A batch, and anything else that has no parts, a line, so that a change shows as what it is. */
export function writeRecorded(found: Readonly<Record<string, Findings>>): void {
  writeFileSync(file, `${laidOut(found, '', 3)}\n`)
}

function laidOut(value: unknown, indent: string, depth: number): string {
  const deeper = `${indent}  `
  if (Array.isArray(value) && value.some(isPart)) {
    return between(
      '[',
      value.map(item => deeper + JSON.stringify(item)),
      `${indent}]`,
    )
  }
  if (!isPart(value) || Array.isArray(value) || depth === 0) return JSON.stringify(value)
  const lines = Object.entries(value).map(([name, of]) => {
    return `${deeper}${JSON.stringify(name)}: ${laidOut(of, deeper, depth - 1)}`
  })
  return between('{', lines, `${indent}}`)
}

function between(open: string, lines: readonly string[], close: string): string {
  return `${open}\n${lines.join(',\n')}\n${close}`
}

function isPart(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
