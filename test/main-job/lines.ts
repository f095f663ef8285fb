import { createWriteStream, existsSync, readdirSync, readFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { OrderByKey } from './digest.ts'

/** A line of this machine and what it belongs to; lines of one key must come back in this order. */
interface Line {
  readonly key: string
  readonly value: string
}

export interface Input {
  readonly path: string
  readonly lineCount: number
  readonly bytes: number
  readonly keyCount: number
  /** Where the lines come from, with how many of each. */
  readonly sources: Readonly<Record<string, number>>
  readonly order: OrderByKey
}

const sourceFolders = ['/usr/include', '/usr/share/perl', '/usr/lib/python3', '/usr/local/go/src']
const sourcePattern = /\.(h|c|py|pm|pl|go)$/
const lineLengthMax = 4096

/** Writes real lines of this machine to `path` as `key TAB value`, repeated until `bytesMin` are there. */
export async function writeInput(path: string, bytesMin: number): Promise<Input> {
  const sources: Record<string, number> = {}
  const lines = [...dpkgLines(sources), ...wordLines(sources), ...sourceLines(sources)]
  if (lines.length === 0) throw new Error('found no package log, no word list and no source tree')
  const order = new OrderByKey()
  const file = createWriteStream(path, { highWaterMark: 4 * 1024 * 1024 })
  let bytes = 0
  let lineCount = 0
  while (bytes < bytesMin) {
    let block = ''
    for (const { key, value } of lines) {
      const line = `${key}\t${value}\n`
      order.add(key, Buffer.from(value))
      block += line
      bytes += Buffer.byteLength(line)
      lineCount++
      if (bytes >= bytesMin) break
    }
    if (!file.write(block)) await once(file, 'drain')
  }
  file.end()
  await once(file, 'finish')
  return { path, lineCount, bytes, keyCount: order.keyCount, sources, order }
}

/** The package manager's log, by package. */
function dpkgLines(sources: Record<string, number>): Line[] {
  const lines = readLines('/var/log/dpkg.log').map(value => ({
    key: value.split(' ')[3] || 'dpkg',
    value,
  }))
  sources['package manager log'] = lines.length
  return lines
}

/** Word lists, by their first two letters. */
function wordLines(sources: Record<string, number>): Line[] {
  const folder = '/usr/share/dict'
  const files = existsSync(folder)
    ? readdirSync(folder).filter(name => !name.startsWith('README'))
    : []
  const lines = files
    .flatMap(name => readLines(join(folder, name)))
    .map(value => ({ key: value.slice(0, 2).toLowerCase(), value }))
  sources['word lists'] = lines.length
  return lines
}

/** Source trees, by file; of each as much as keeps one round of all lines at some 60 MB. */
function sourceLines(sources: Record<string, number>): Line[] {
  const lines: Line[] = []
  for (const folder of sourceFolders.filter(name => existsSync(name))) {
    let count = 0
    let bytes = 0
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()) {
      if (bytes > 15e6) break
      if (!sourcePattern.test(name)) continue
      for (const value of readLines(join(folder, name))) {
        lines.push({ key: name, value })
        bytes += value.length + name.length
        count++
      }
    }
    sources[folder] = count
  }
  return lines
}

/** Lines that kcat can carry: not empty, not binary, no tab in front of the value. */
function readLines(path: string): string[] {
  try {
    const text = readFileSync(path, 'utf8')
    if (text.includes('\u0000') || text.includes('\ufffd')) return []
    return text
      .split('\n')
      .map(line => line.replace(/\r$/, ''))
      .filter(line => line !== '' && line.length <= lineLengthMax)
  } catch {
    return []
  }
}
