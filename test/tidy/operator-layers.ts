/** What one layer may import besides itself: places of ours, and modules of Node or of others by name. */
export interface Layer {
  readonly ours: readonly string[]
  readonly modules?: readonly string[]
}

export const real = (...files: string[]): string[] => files.map(file => `src/env/real/${file}`)
export const broker = (...rooms: string[]): string[] => rooms.map(room => `src/broker/${room}`)
export const everything = ['src']

const operator = (...rooms: string[]): string[] => rooms.map(room => `src/operator/${room}`)

/** The operator's part of the table (layers.ts), and the command's. */
export const operatorLayers: Readonly<Record<string, Layer>> = {
  // The operator: its own rooms below its loop. Nothing of the broker imports it.
  'src/operator/kubernetes': {
    ours: ['src/lib', 'src/env'],
    modules: ['@kubernetes/client-node', 'undici', 'node:fs/promises'],
  },
  'src/operator/reconciler.ts': { ours: ['src/operator/kubernetes'] },
  'src/operator/own-kinds.ts': { ours: operator('kubernetes', 'crd') },
  'src/operator/caches.ts': {
    ours: ['src/env', ...operator('kubernetes', 'crd', 'desired/labels.ts', 'own-kinds.ts')],
  },
  'src/operator/node-watches.ts': { ours: ['src/env', ...operator('kubernetes')] },
  'src/operator/broker-access.ts': {
    ours: operator('brokers', 'crd', 'desired', 'kubernetes', 'parts.ts', 'plan/pod-health.ts'),
  },
  'src/operator/topics': {
    ours: [
      ...operator('brokers', 'crd', 'kubernetes', 'parts.ts', 'own-kinds.ts', 'reconciler.ts'),
      ...operator('broker-access.ts', 'moves', 'desired/slots.ts', 'plan/operator-versions.ts'),
      ...broker('telemetry/logger.ts', 'config'),
    ],
  },
  'src/operator/parts.ts': {
    ours: [
      'src/env',
      ...operator('kubernetes', 'brokers', 'caches.ts', 'node-watches.ts'),
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
        'telemetry/tally.ts',
      ),
    ],
    modules: ['prom-client'],
  },
  'src/operator/guarded-brokers.ts': { ours: operator('brokers') },
  'src/operator/http.ts': {
    ours: ['src/broker/telemetry/http.ts', ...operator('metrics.ts')],
    modules: ['express'],
  },
  'src/operator/controller.ts': {
    ours: [
      'src/env',
      ...operator('kubernetes', 'reconciler.ts', 'metrics.ts'),
      ...broker('telemetry/logger.ts'),
    ],
  },
  'src/operator/arguments.ts': { ours: [], modules: ['node:util'] },
  'src/operator/operator.ts': { ours: everything },
  'src/operator/ring.ts': {
    ours: [
      ...broker('metadata/kubernetes/genesis.ts', 'metadata/kubernetes/names.ts'),
      ...operator('desired', 'plan', 'kubernetes'),
    ],
  },
  'src/operator/reconcilers.ts': {
    ours: [
      ...operator('operator.ts', 'parts.ts', 'reconciler.ts'),
      ...operator('ring.ts', 'reconcile', 'topics'),
    ],
  },
  'src/operator/run.ts': { ours: everything, modules: ['node:os'] },
  'src/operator/main.ts': { ours: ['src/operator/run.ts'] },
  'src/operator/crd': { ours: ['src/lib'], modules: ['zod'] },
  // What is wanted, what to do, what to tell: pure, and so without `async` (bans.ts).
  'src/operator/desired': {
    ours: [
      'src/lib',
      'src/kubernetes/disk-identity.ts',
      ...broker('config'),
      ...operator('crd', 'kubernetes/objects.ts', 'desired/hash.ts'),
    ],
  },
  'src/operator/desired/hash.ts': { ours: [], modules: ['node:crypto'] },
  // Where replicas are to lie: pure, and asked by whoever looks after brokers and whoever looks after topics.
  'src/operator/moves': { ours: operator('brokers/brokers.ts') },
  'src/operator/plan': {
    ours: [
      'src/lib',
      'src/kubernetes/disk-identity.ts',
      ...operator('crd', 'desired', 'desired/hash.ts', 'brokers/brokers.ts', 'own-kinds.ts'),
      ...operator('moves'),
      ...operator('kubernetes/objects.ts', 'kubernetes/resources.ts'),
    ],
  },
  'src/operator/status': {
    ours: [
      'src/lib',
      ...operator('crd', 'desired', 'desired/hash.ts', 'plan', 'moves/moves.ts'),
      ...operator('brokers/brokers.ts', 'kubernetes/objects.ts'),
    ],
  },
  // And the shell that looks and acts.
  'src/operator/reconcile': {
    ours: [
      'src/lib',
      'src/env',
      ...operator('crd', 'desired', 'desired/hash.ts', 'plan', 'status', 'brokers', 'kubernetes'),
      ...operator('own-kinds.ts', 'parts.ts', 'caches.ts', 'reconciler.ts'),
    ],
  },
}
