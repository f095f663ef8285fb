import { posix } from 'node:path'
import { circlesOf } from './circles.ts'
import { isTest, isUnder, lineAt, type Source } from './sources.ts'

/** What one layer may import besides itself: places of ours, and modules of Node or of others by name. */
interface Layer {
  readonly ours: readonly string[]
  readonly modules?: readonly string[]
}

const real = (...files: string[]): string[] => files.map(file => `src/env/real/${file}`)
const broker = (...rooms: string[]): string[] => rooms.map(room => `src/broker/${room}`)
const log = (...places: string[]): string[] => places.map(place => `src/broker/log/${place}`)
const operator = (...rooms: string[]): string[] => rooms.map(room => `src/operator/${room}`)
const everything = ['src']

/**
 * At the door of `log/`, because they are words of all its rooms: which log, its settings, what it asks of the directory
 * above it (which implements that) and which failures of a disk pass.
 */
const door = ['log-host.ts', 'log-config.ts', 'log-id.ts', 'shortage.ts']

/**
 * The table is the architecture (docs/architecture.md). The longest place that holds a file is its layer; a
 * right to import may name a folder or a single file.
 */
export const layers: Readonly<Record<string, Layer>> = {
  'src/lib': { ours: [] },
  'src/env': { ours: ['src/lib'] },
  'src/env/duplex': { ours: ['src/lib', 'src/env'], modules: ['node:stream'] },
  'src/env/real': {
    ours: ['src/lib', 'src/env', 'src/env/duplex'],
    modules: ['node:fs', 'node:fs/promises', 'node:net', 'node:stream', 'node:crypto', 'node:path'],
  },
  'src/env/real/idle-memory.ts': {
    ours: ['src/env', 'src/env/real/resident-memory.ts', 'src/env/real/collector.ts'],
  },
  'src/env/real/collector.ts': { ours: [], modules: ['node:v8', 'node:vm'] },
  'src/kubernetes': { ours: ['src/lib', 'src/env'] },
  // The one real twin outside of src/env/real: a port that only one store and the operator's tests of it know.
  'src/kubernetes/https-objects.ts': {
    ours: ['src/lib', 'src/env', 'src/kubernetes'],
    modules: ['node:https', 'node:fs/promises'],
  },
  'src/broker/wire': { ours: ['src/lib'] },
  'src/broker/wire/client': { ours: ['src/lib', 'src/env', ...broker('wire', 'wire/sasl')] },
  // Pure sums, as of node:zlib in compression.
  'src/broker/wire/sasl': { ours: ['src/lib'], modules: ['node:crypto'] },
  'src/operator/brokers': {
    ours: ['src/lib', 'src/env', ...broker('wire', 'wire/client', 'wire/sasl')],
  },
  'src/broker/native': {
    ours: [
      'src/lib',
      'src/env',
      ...real('file-system.ts', 'disk-errors.ts', 'write-parts.ts', 'clock.ts'),
    ],
    modules: [
      'node:child_process',
      'node:dns/promises',
      'node:fs',
      'node:module',
      'node:os',
      'node:path',
    ],
  },
  'src/broker/config': { ours: ['src/lib', 'src/env/admission.ts'] },
  // The rooms of log, downwards; what no room claims stands at the door, each file in its place.
  'src/broker/log/directory': {
    ours: [
      'src/lib',
      'src/env',
      ...log('log.ts', 'cleaner', 'recovery', 'segment', 'compression', 'state', ...door),
    ],
  },
  'src/broker/log/log.ts': {
    ours: [
      'src/lib',
      'src/env',
      ...log(
        'cleaner',
        'retention.ts',
        'recovery',
        'append',
        'read',
        'producers',
        'state',
        ...door,
      ),
    ],
  },
  'src/broker/log/cleaner': {
    ours: [
      'src/lib',
      'src/env',
      ...log('retention.ts', 'append', 'read', 'segment', 'batch', 'compression', 'state', ...door),
    ],
    modules: ['node:path', 'node:worker_threads'],
  },
  'src/broker/log/retention.ts': {
    ours: ['src/env', ...log('append', 'segment', 'state', ...door)],
  },
  'src/broker/log/recovery': {
    ours: [
      'src/lib',
      'src/env',
      ...log('append', 'read', 'segment', 'producers', 'batch', 'state', ...door),
    ],
  },
  'src/broker/log/append': {
    ours: [
      'src/lib',
      'src/env',
      'src/broker/wire/errors.ts',
      ...log('segment', 'producers', 'batch', 'compression', 'state', ...door),
    ],
  },
  'src/broker/log/read': {
    ours: [
      'src/lib',
      'src/env',
      'src/broker/wire/errors.ts',
      ...log('segment', 'batch', 'compression', 'state', ...door),
    ],
  },
  'src/broker/log/state': {
    ours: [
      'src/lib',
      'src/env',
      'src/broker/wire/errors.ts',
      ...log('segment', 'producers', ...door),
    ],
  },
  'src/broker/log/log-host.ts': {
    ours: ['src/env', ...log('segment', 'compression')],
  },
  'src/broker/log/segment': { ours: ['src/lib', 'src/env', ...log('producers', 'batch')] },
  'src/broker/log/producers': { ours: ['src/lib', ...log('batch')] },
  'src/broker/log/batch': {
    ours: ['src/lib', 'src/broker/wire/errors.ts', ...log('compression', 'log-config.ts')],
  },
  'src/broker/log/compression': {
    ours: ['src/lib', 'src/env', 'src/env/real/clock.ts', 'src/env/real/collector.ts'],
    modules: ['node:zlib', 'node:path', 'node:worker_threads', 'lz4-napi', 'snappy'],
  },
  'src/broker/log': { ours: ['src/lib', 'src/env'] },
  'src/broker/partition/replica': { ours: ['src/lib'] },
  'src/broker/cluster/controller': {
    ours: ['src/lib', ...broker('metadata/records.ts', 'metadata/image.ts')],
  },
  'src/broker/metadata': { ours: ['src/lib', 'src/env'], modules: ['node:crypto'] },
  'src/broker/metadata/kubernetes': {
    ours: ['src/lib', 'src/env', 'src/kubernetes', ...broker('metadata')],
    // To compress is a pure sum; the operator's genesis has no other way to make what a broker reads.
    modules: ['node:zlib', 'node:util'],
  },
  'src/broker/cluster': {
    ours: ['src/lib', 'src/env', ...broker('metadata', 'cluster/controller')],
  },
  'src/broker/partition': {
    ours: [
      'src/lib',
      'src/env',
      ...log('directory', 'log.ts', ...door),
      ...broker('partition/replica', 'metadata', 'wire'),
    ],
  },
  'src/broker/coordinator/groups': { ours: ['src/lib'] },
  'src/broker/coordinator': {
    ours: [
      'src/lib',
      'src/env',
      // It makes and reads batches of its own.
      ...log('batch', 'compression'),
      ...broker('coordinator/groups', 'metadata', 'cluster', 'partition', 'wire'),
    ],
  },
  'src/broker/insight': {
    ours: ['src/lib', 'src/env', ...broker('coordinator', 'partition')],
  },
  'src/broker/cold-lane': {
    ours: ['src/lib', 'src/env', ...broker('insight')],
  },
  'src/broker/telemetry': {
    ours: ['src/lib', 'src/env', ...broker('config', 'insight/numbers.ts', 'cold-lane/numbers.ts')],
    modules: ['node:http', 'express', 'pino', 'prom-client'],
  },
  'src/broker/handlers': {
    ours: [
      'src/lib',
      'src/env',
      ...broker('wire', 'config', 'metadata', 'cluster', 'partition'),
      ...broker('cluster/controller', 'coordinator/groups', 'coordinator', 'insight', 'cold-lane'),
      ...broker('handlers/fetch/sessions', 'security', 'wire/sasl'),
    ],
  },
  'src/broker/handlers/fetch/sessions': { ours: ['src/lib'] },
  'src/broker/security': { ours: ['src/lib', 'src/env', ...broker('wire', 'wire/sasl')] },
  'src/broker/server': {
    ours: ['src/lib', 'src/env', ...broker('wire', 'config', 'telemetry', 'security', 'handlers')],
  },
  // The operator: its own rooms below its loop. Nothing of the broker imports it.
  'src/operator/kubernetes': {
    ours: ['src/lib', 'src/env'],
    modules: ['@kubernetes/client-node', 'undici', 'node:fs/promises'],
  },
  'src/operator/reconciler.ts': { ours: ['src/operator/kubernetes'] },
  'src/operator/own-kinds.ts': { ours: operator('kubernetes', 'crd') },
  'src/operator/caches.ts': { ours: ['src/env', ...operator('kubernetes', 'crd', 'own-kinds.ts')] },
  'src/operator/parts.ts': {
    ours: [
      'src/env',
      ...operator('kubernetes', 'brokers', 'caches.ts'),
      ...broker('telemetry/logger.ts'),
    ],
  },
  'src/operator/metrics.ts': {
    ours: [
      'src/env',
      ...operator('kubernetes'),
      ...broker(
        'telemetry/instruments.ts',
        'telemetry/process-instruments.ts',
        'telemetry/sources.ts',
      ),
    ],
    modules: ['prom-client'],
  },
  'src/operator/http.ts': { ours: operator('metrics.ts'), modules: ['express'] },
  'src/operator/controller.ts': {
    ours: [
      'src/env',
      ...operator('kubernetes', 'reconciler.ts', 'metrics.ts'),
      ...broker('telemetry/logger.ts'),
    ],
  },
  'src/operator/arguments.ts': { ours: [], modules: ['node:util'] },
  'src/operator/operator.ts': { ours: everything },
  'src/broker/open-env.ts': { ours: everything },
  'src/broker/cluster-options.ts': { ours: broker('cluster', 'config', 'coordinator') },
  'src/broker/open-store.ts': { ours: everything },
  'src/broker/process-numbers.ts': { ours: everything, modules: ['node:fs'] },
  'src/broker/welcome.ts': { ours: everything },
  'src/broker/broker-metrics.ts': { ours: everything },
  'src/broker/make-coordinator.ts': { ours: everything },
  'src/broker/retention-round.ts': { ours: everything },
  'src/broker/private-listener.ts': { ours: everything },
  'src/broker/broker-status.ts': { ours: everything },
  'src/broker/broker.ts': { ours: everything, modules: ['node:path'] },
  'src/broker/main.ts': { ours: everything, modules: ['node:'] },
  'src/cli': { ours: ['src/broker/config/nearest.ts'] },
  // What it does not run it does not load, so nothing but the door of each command.
  'src/cli/main.ts': {
    ours: ['src/cli', 'src/cli/try', 'src/env/real/package-version.ts', 'src/broker/main.ts'],
  },
  'src/cli/try': {
    ours: [
      'src/lib',
      'src/env',
      ...real('network.ts', 'clock.ts', 'random.ts'),
      ...broker('config/listeners.ts', 'wire', 'wire/client'),
      ...log('batch/batch.ts', 'batch/records.ts'),
      'src/cli/terminal.ts',
    ],
  },
  'src/operator/crd': { ours: ['src/lib'], modules: ['zod'] },
}

/** These may be imported by nobody but tests and the sim: a process begins there, or the product ends. */
const fronts = ['src/broker/main.ts', 'sim', 'test', 'bench', 'tools']

interface Import {
  readonly what: string
  readonly line: number
}

/** Statements at a line's start, and dynamic imports of a literal. */
const importing =
  /(?:^|\n)[ \t]*(?:import|export)\b(?:[^'"`;]*?\bfrom)?\s*['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]/g

/** What `source` imports, types too: files of ours as paths from the root, modules by their names. */
export function importsOf(source: Source): Import[] {
  return [...source.text.matchAll(importing)].map(match => {
    const what = match[1] ?? match[2]!
    return {
      what: what.startsWith('.') ? posix.join(posix.dirname(source.path), what) : what,
      line: lineAt(source.text, match.index + match[0].length),
    }
  })
}

/** The row of the table for `path`, or undefined where the table has none. */
function layerOf(path: string): string | undefined {
  return Object.keys(layers)
    .filter(place => isUnder(path, place))
    .toSorted((a, b) => b.length - a.length)[0]
}

/** One line for each import that the table does not allow, and for each source that it does not know. */
export function brokenLayers(sources: readonly Source[]): string[] {
  return sources.flatMap(source => {
    const { path } = source
    if (isUnder(path, 'sim')) return complain(source, what => isUnder(what, 'src/env/real'))
    if (!isUnder(path, 'src')) return []
    if (isTest(path)) return complain(source, what => isUnder(what, 'src/broker/main.ts'))
    const place = layerOf(path)
    if (place === undefined) return [`${path}: no row in the table of layers`]
    return complain(source, what => !mayImport(place, what))
  })
}

function complain(source: Source, isForbidden: (what: string) => boolean): string[] {
  return importsOf(source)
    .filter(({ what }) => isForbidden(what))
    .map(({ what, line }) => `${source.path}:${line}: may not import ${what}`)
}

function mayImport(place: string, what: string): boolean {
  const { ours, modules = [] } = layers[place]!
  if (!what.endsWith('.ts')) {
    return modules.some(
      module => module === what || (module === 'node:' && what.startsWith(module)),
    )
  }
  if (place === 'src/cli/main.ts' && what === 'src/broker/main.ts') return true
  if (isTest(what) || fronts.some(front => isUnder(what, front))) return false
  const layer = layerOf(what)
  return layer === place || ours.some(right => right === layer || reaches(right, what))
}

/** Whether a right that is no row of the table, but a file or folder in one, or all of `src`, holds `what`. */
function reaches(right: string, what: string): boolean {
  return !(right in layers) && isUnder(what, right)
}

/** Every circle of imports, as one line that names its files; types count, since a reader follows them too. */
export function circles(sources: readonly Source[]): string[] {
  const known = new Set(sources.map(({ path }) => path))
  const targets = new Map(
    sources.map(source => [
      source.path,
      importsOf(source).flatMap(({ what }) => (known.has(what) ? [what] : [])),
    ]),
  )
  return circlesOf(targets)
}
