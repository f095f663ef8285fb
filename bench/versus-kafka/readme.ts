import { duration, laggingResult, waits } from './lagging.ts'
import type { Results } from './results.ts'
import { throttledDisk } from './scenarios/throttled-disk.ts'

const begin = `<!-- Written by \`npm run bench -- versus-kafka\` -->`
const end = '<!-- Until here. -->'

/** The README with what opens its comparison: the picture and what it says. Throws where it has no place for it. */
export function readmeWith(results: Results, readme: string): string {
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`README.md lacks "${begin}" before "${end}"`)
  return `${readme.slice(0, from)}${begin}\n\n${openingOf(results)}\n\n${readme.slice(to)}`
}

function openingOf(results: Results): string {
  const { kafka } = laggingResult(results)
  const [alone, , four] = waits(results)
  return `![How long a fresh record waits while others read old ones](docs/benchmarks/lagging-reader.svg)

While four consumers catch up on old data from a disk of 100 MB/s, one that follows the end has half of the fresh records within ${duration(four!.ours.p50)} and
99 of 100 within ${duration(four!.ours.p99)} (alone: ${duration(alone!.ours.p50)} and ${duration(alone!.ours.p99)}); behind Apache Kafka ${kafka} it waits ${duration(four!.theirs.p50)} and ${duration(four!.theirs.p99)}. Whoever lags is
served by threads of its own, so that what is in memory does not wait for the disk; as root, this measures it and draws it anew:

\`\`\`
npm run bench -- versus-kafka ${throttledDisk.name}
\`\`\``
}
