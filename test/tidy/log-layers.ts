/** What one layer may import besides itself: places of ours, and modules of Node or of others by name. */
export interface Layer {
  readonly ours: readonly string[]
  readonly modules?: readonly string[]
}

export const log = (...places: string[]): string[] => places.map(place => `src/broker/log/${place}`)

/**
 * At the door of `log/`, because they are words of all its rooms: which log, its settings, what it asks of the directory
 * above it (which implements that) and which failures of a disk pass.
 */
export const door = ['log-host.ts', 'log-config.ts', 'log-id.ts', 'shortage.ts']

/** The part of the table of layers that is about `log/`. */
export const logLayers: Readonly<Record<string, Layer>> = {
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
}
