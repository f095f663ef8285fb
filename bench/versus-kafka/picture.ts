import { type Beside, duration, laggingResult, type Wait, waits } from './lagging.ts'
import type { Results } from './results.ts'

const width = 880
/** Of the axis, between the names and where the last figure still has room. */
const [left, right] = [270, 790]
/** Where each row says whose it is. */
const namesAt = 152
const top = 118
const rowHeight = 30
const groupGap = 22
const groupHeight = 2 * rowHeight + groupGap

/** How long a fresh record waits beside 0, 1 and 4 cold readers, on a logarithmic axis; SVG, for light and dark. */
export function pictureOf(results: Results): string {
  const groups = waits(results)
  const { date, kafka } = laggingResult(results)
  const axis = axisOver(groups.flatMap(({ ours, theirs }) => [ours, theirs]))
  const bottom = top + groups.length * groupHeight - groupGap + 12
  const height = bottom + 66
  const where = `Disk of 100 MB/s, 500 records of 1 KiB a second, both on one machine in turns; Apache Kafka ${kafka}, ${date.slice(0, 10)}`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title desc">
<title id="title">How long a fresh record waits while others read old ones</title>
<desc id="desc">${groups.map(told).join(' ')} ${where}.</desc>
<style>
  svg { font: 14px system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif }
  .card { fill: #ffffff; stroke: #d1d9e0 }
  text { fill: #1f2328; paint-order: stroke; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round }
  .quiet { fill: #59636e; font-size: 12.5px }
  .head { font-size: 18px; font-weight: 600 }
  .group { font-weight: 600 }
  .grid { stroke: #d1d9e0 }
  .ours { stroke: #0969da; fill: #0969da }
  .theirs { stroke: #bc4c00; fill: #bc4c00 }
  .key { stroke: #59636e; fill: #59636e }
  .half { fill: #ffffff }
  line, circle { stroke-width: 2 }
  .grid { stroke-width: 1 }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #3d444d }
    text { fill: #f0f6fc; stroke: #0d1117 }
    .quiet { fill: #9198a1 }
    .grid { stroke: #3d444d }
    .ours { stroke: #4493f8; fill: #4493f8 }
    .theirs { stroke: #f0883e; fill: #f0883e }
    .key { stroke: #9198a1; fill: #9198a1 }
    .half { fill: #0d1117 }
  }
</style>
<rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
<text class="head" x="24" y="36">How long a fresh record waits while others read old ones</text>
<text class="quiet" x="24" y="58">${where}</text>
${keyAt(86)}
${axis.ticks.map(tick => tickAt(axis.x(tick), tick, bottom)).join('\n')}
<text class="quiet" x="${left}" y="${bottom + 44}">from when the record was due until the consumer had it, logarithmic</text>
${groups.map((group, at) => groupAt(group, top + at * groupHeight, axis)).join('\n')}
</svg>
`
}

interface Axis {
  /** Powers of ten, in ms. */
  readonly ticks: readonly number[]
  x(ms: number): number
}

function axisOver(all: readonly Wait[]): Axis {
  const first = Math.floor(Math.log10(Math.min(...all.map(({ p50 }) => p50))))
  const last = Math.ceil(Math.log10(Math.max(...all.map(({ p99 }) => p99))))
  const ticks = Array.from({ length: last - first + 1 }, (_, at) => 10 ** (first + at))
  const x = (ms: number) => left + ((Math.log10(ms) - first) / (last - first)) * (right - left)
  return { ticks, x: ms => Math.round(x(ms) * 10) / 10 }
}

function tickAt(x: number, ms: number, bottom: number): string {
  const name = ms < 1000 ? `${ms} ms` : `${ms / 1000} s`
  return `<line class="grid" x1="${x}" y1="${top - 14}" x2="${x}" y2="${bottom}"/><text class="quiet" x="${x}" y="${bottom + 20}" text-anchor="middle">${name}</text>`
}

function keyAt(y: number): string {
  return `<circle class="key half" cx="${left}" cy="${y - 4}" r="5"/><text class="quiet" x="${left + 12}" y="${y}">half of the records came within</text>
<circle class="key" cx="${left + 240}" cy="${y - 4}" r="6"/><text class="quiet" x="${left + 252}" y="${y}">99 of 100 came within</text>`
}

function groupAt({ coldReaders, ours, theirs }: Beside, y: number, axis: Axis): string {
  return `<text class="group" x="24" y="${y + 20}">${readers(coldReaders)}</text>
${rowAt('LogCluster', 'ours', { wait: ours, y }, axis)}
${rowAt('Apache Kafka', 'theirs', { wait: theirs, y: y + rowHeight }, axis)}`
}

function rowAt(
  name: string,
  side: 'ours' | 'theirs',
  { wait, y }: { readonly wait: Wait; readonly y: number },
  axis: Axis,
): string {
  const [from, to] = [axis.x(wait.p50), axis.x(wait.p99)]
  const [middle, base] = [y + 15, y + 20]
  return `<text x="${namesAt}" y="${base}">${name}</text>
<line class="${side}" x1="${from}" y1="${middle}" x2="${to}" y2="${middle}"/>
<circle class="${side} half" cx="${from}" cy="${middle}" r="5"/><circle class="${side}" cx="${to}" cy="${middle}" r="6"/>
<text class="quiet" x="${from - 10}" y="${base}" text-anchor="end">${duration(wait.p50)}</text>
<text x="${to + 12}" y="${base}">${duration(wait.p99)}</text>`
}

function readers(count: number): string {
  if (count === 0) return 'nobody else'
  return count === 1 ? '1 cold reader' : `${count} cold readers`
}

function told({ coldReaders, ours, theirs }: Beside): string {
  const one = (name: string, { p50, p99 }: Wait) =>
    `${name} half within ${duration(p50)} and 99 of 100 within ${duration(p99)}`
  return `Beside ${readers(coldReaders)}: ${one('LogCluster', ours)}; ${one('Apache Kafka', theirs)}.`
}
