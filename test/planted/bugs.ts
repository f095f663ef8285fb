import type { FaultKind } from '../../sim/cluster/faults.ts'

/** Worlds of whole brokers, from a first seed on. */
interface Worlds {
  readonly kind: 'simulation'
  readonly seedCount: number
  /** Virtual, of each seed. */
  readonly seconds: number
  readonly nodes?: number
  readonly kinds?: readonly FaultKind[]
}

/** Who has to find a bug, and within what: worlds, or tests that lie beside their subject. */
export type Finder = { readonly kind: 'tests'; readonly files: readonly string[] } | Worlds

/** A mistake in the product: `to` stands where `from` stood. The product knows nothing of it. */
export interface PlantedBug {
  readonly file: string
  readonly from: string
  readonly to: string
  /** What else has to be wrong, because two places see to the same. */
  readonly also?: { readonly from: string; readonly to: string }
  readonly foundBy: Finder
  /** Who has to find it too: it takes no world long. */
  readonly worlds?: Worlds
}

const replicaTests: Finder = {
  kind: 'tests',
  files: ['src/broker/partition/replica', 'src/broker/partition/partition'],
}
const controllerTests: Finder = {
  kind: 'tests',
  files: [
    'src/broker/cluster/controller/elect',
    'src/broker/cluster/controller/registration',
    'src/broker/cluster/controller/alter-partitions',
  ],
}
const logTests: Finder = {
  kind: 'tests',
  files: ['src/broker/log/log', 'src/broker/log/directory'],
}
const copyTests: Finder = { kind: 'tests', files: ['src/broker/metadata/copy'] }
/** The operator ends at each of its writes, and never more than one broker is down. */
const operatorEnds: Finder = { kind: 'tests', files: ['test/operator/crash-points'] }
const kills: Worlds = {
  kind: 'simulation',
  seedCount: 20,
  seconds: 20,
  nodes: 1,
  kinds: ['kill', 'kill-in-write', 'half-open', 'reset'],
}
const killsAmongOthers: Worlds = {
  kind: 'simulation',
  seedCount: 20,
  seconds: 20,
  kinds: ['kill', 'kill-in-write', 'half-open', 'reset'],
}
const cutsAmongOthers: Worlds = {
  ...killsAmongOthers,
  seedCount: 40,
  kinds: ['kill', 'slow-network', 'reset', 'pause'],
}
const freezes: Worlds = { ...killsAmongOthers, kinds: ['freeze', 'kill'] }
const losses: Worlds = { ...killsAmongOthers, kinds: ['power', 'kill', 'cut-off'] }

/**
 * The list of durability.md 5.4: mistakes that lose, double or reorder what was acknowledged, one at a time. Some of the
 * storage's own are in test/crash/planted-bugs.ts, and are looked for at every crash point. One is the operator's: two brokers down at once.
 */
export const plantedBugs: Readonly<Record<string, PlantedBug>> = {
  'truncates-to-watermark': {
    file: 'src/broker/partition/replica/replica.ts',
    from: 'const cut = cutOf(parting, this.#endOffset)',
    to: "const cut = { type: 'truncate', offset: this.#highWatermark } as const; cutOf(parting, this.#endOffset)",
    foundBy: replicaTests,
    worlds: cutsAmongOthers,
  },
  'fetch-epoch-unchecked': {
    file: 'src/broker/partition/core.ts',
    from: 'if (currentLeaderEpoch !== -1 && currentLeaderEpoch !== role.leaderEpoch)',
    to: 'if (currentLeaderEpoch < -1)',
    foundBy: replicaTests,
  },
  'follows-while-cut': {
    file: 'src/broker/partition/core.ts',
    from: 'return this.failure === null && this.#cutting === null ? role : null',
    to: 'return this.failure === null ? role : null',
    foundBy: { kind: 'tests', files: ['src/broker/partition/cut-follow'] },
  },
  'watermark-of-committed-isr': {
    file: 'src/broker/partition/replica/replica.ts',
    from: 'const { maximal } = this.#change',
    to: 'const maximal = role.isr',
    foundBy: replicaTests,
  },
  'no-min-isr-gate': {
    file: 'src/broker/partition/replica/replica.ts',
    from: 'if (role === null || !this.isLeader || !this.hasEnoughInsync) return\n    const committed',
    to: 'if (role === null || !this.isLeader) return\n    const committed',
    foundBy: replicaTests,
    worlds: killsAmongOthers,
  },
  'elr-not-cleared': {
    file: 'src/broker/cluster/controller/elections.ts',
    from: 'return { isr, elr: [], lastKnownElr: [] }\n  const complete',
    to: 'return { isr, elr: before.elr, lastKnownElr: [] }\n  const complete',
    also: {
      from: 'isEnough ? [] : ids.filter',
      to: 'isEnough && ids.length < 0 ? [] : ids.filter',
    },
    foundBy: controllerTests,
    worlds: killsAmongOthers,
  },
  'fewer-are-enough-too-soon': {
    file: 'src/broker/cluster/controller/parts.ts',
    from: 'isFewer ? [...changes, config!] : unit',
    to: 'isFewer ? [...unit] : unit',
    foundBy: { kind: 'tests', files: ['src/broker/cluster/controller/parts'] },
  },
  'lossy-start-stays-eligible': {
    file: 'src/broker/cluster/controller/elections.ts',
    from: 'const elr = complete.filter(id => !isr.includes(id) && !lossy.includes(id))',
    to: 'const elr = complete.filter(id => !isr.includes(id))',
    foundBy: controllerTests,
    worlds: losses,
  },
  'shorter-log-elected': {
    file: 'src/broker/cluster/controller/elect-leaders.ts',
    from: 'order(a.end, b.end) || rank(a.replica)',
    to: 'rank(a.replica)',
    foundBy: controllerTests,
  },
  'silent-log-not-waited-for': {
    file: 'src/broker/cluster/controller/elect-leaders.ts',
    from: 'if (silent !== undefined) return silence(silent.id)',
    to: 'if (silent !== undefined) active.splice(active.indexOf(silent), 1)',
    foundBy: controllerTests,
  },
  'leaves-while-frozen': {
    file: 'src/broker/cluster/controller/elections.ts',
    from: 'return isFrozen(image) || isActive(image.brokerOfDirectory(directoryId))',
    to: 'return isActive(image.brokerOfDirectory(directoryId))',
    foundBy: freezes,
  },
  'registration-stays-in-isr': {
    file: 'src/broker/cluster/controller/register-broker.ts',
    from: ': [...departures(before, registration, options), record]',
    to: ': [...departures(before, registration, options).slice(0, 0), record]',
    foundBy: controllerTests,
    worlds: killsAmongOthers,
  },
  'joins-below-the-epoch': {
    file: 'src/broker/partition/replica/replica.ts',
    from: 'const committedMax = Math.max(this.#highWatermark, this.#epochStartOffset)',
    to: 'const committedMax = this.#highWatermark',
    foundBy: replicaTests,
  },
  'isr-add-of-any-start': {
    file: 'src/broker/cluster/controller/alter-partitions.ts',
    from: 'return !isActive(broker) || broker.epoch !== brokerEpoch',
    to: 'return !isActive(broker) || brokerEpoch < 0',
    foundBy: controllerTests,
  },
  'lost-answer-rolls-back': {
    file: 'src/broker/partition/replica/isr-change.ts',
    from: "change.isDoubtful = true\n        change.state = 'again'",
    to: 'this.settle(role.isr)',
    foundBy: replicaTests,
  },
  'two-appends-in-flight': {
    file: 'src/broker/cluster/controller/controller.ts',
    from: "if (this.#state !== 'active' || this.#inFlight !== null) return",
    to: "if (this.#state !== 'active' || this.#inFlight === 'snapshot') return",
    foundBy: { kind: 'tests', files: ['src/broker/cluster/controller/controller'] },
    worlds: killsAmongOthers,
  },
  'acknowledged-before-written': {
    file: 'src/broker/log/append/writer.ts',
    from: '    segment.file.write(segment.sizeBytes, parts)\n    const endedMs',
    to: '    const late = segment.sizeBytes\n    clock.after(5, () => segment.file.write(late, parts.map(part => part.slice())))\n    const endedMs',
    foundBy: kills,
  },
  'fsync-retried': {
    file: 'src/broker/log/state/durability.ts',
    from: 'if (!segment.isRemoved) await segment.file.sync()',
    to: 'if (!segment.isRemoved) await segment.file.sync().catch(() => segment.file.sync())',
    foundBy: logTests,
  },
  'clean-marker-stays': {
    file: 'src/broker/log/recovery/start-class.ts',
    from: 'disk.unlink(`${path}/clean.json`)',
    to: 'disk.stat(`${path}/clean.json`)',
    foundBy: { kind: 'tests', files: ['src/broker/log/directory/log-directory'] },
  },
  'recovers-last-segment-only': {
    file: 'src/broker/log/recovery/recovery.ts',
    from: 'await recoverTail(recovery, bases.slice(firstWalked))',
    to: 'await recoverTail(recovery, bases.slice(Math.max(firstWalked, bases.length - 1)))',
    foundBy: { kind: 'tests', files: ['src/broker/log/log.test'] },
  },
  'producer-state-not-rebuilt': {
    file: 'src/broker/log/recovery/walk.ts',
    from: 'steps.noteProducer(recovery, header, nowMs)',
    to: 'void steps',
    foundBy: kills,
  },
  'retention-passes-watermark': {
    file: 'src/broker/log/retention.ts',
    from: '&& segment.endOffset <= upToOffset',
    to: '&& upToOffset >= 0',
    foundBy: { kind: 'tests', files: ['src/broker/log/retention'] },
  },
  'acknowledged-below-watermark': {
    file: 'src/broker/partition/replica/waits.ts',
    from: 'offset <= ',
    to: 'offset - 1 <= ',
    foundBy: replicaTests,
  },
  'generation-unchecked': {
    file: 'src/broker/coordinator/groups/commit.ts',
    from: "if (claim.generation !== group.generation) return 'ILLEGAL_GENERATION'",
    to: '',
    foundBy: { kind: 'tests', files: ['src/broker/coordinator/groups'] },
  },
  'strays-deleted': {
    file: 'src/broker/partition/partitions.ts',
    from: 'return isDeleted ? directory.remove(id) : directory.setAside(id)',
    to: 'return directory.remove(id)',
    foundBy: { kind: 'tests', files: ['src/broker/partition/partitions'] },
  },
  'chain-unchecked': {
    file: 'src/broker/cluster/known-log.ts',
    from: 'if (chainHash({ ...record, previousHash }) === record.hash) return true',
    to: 'if (previousHash !== record.hash) return true',
    foundBy: { kind: 'tests', files: ['src/broker/cluster/brokers'] },
  },
  'store-went-back-unnoticed': {
    file: 'src/broker/metadata/copy/link.ts',
    from: 'if (sequence > last) {',
    to: 'if (sequence > last) return null\n  if (sequence < 0) {',
    foundBy: copyTests,
  },
  'four-batches-remembered': {
    file: 'src/broker/log/producers/state.ts',
    from: 'kept.length < producerBatchesMax ? kept : kept.slice(1 - producerBatchesMax)',
    to: 'kept.length < producerBatchesMax - 1 ? kept : kept.slice(2 - producerBatchesMax)',
    foundBy: { kind: 'tests', files: ['src/broker/log/producers'] },
  },
  'short-write-ignored': {
    file: 'src/env/real/write-parts.ts',
    from: '    written += count\n    left = withoutFirst(left, count)\n  }\n}\n\n/**\n * The same',
    to: '    written += count\n    left = []\n  }\n}\n\n/**\n * The same',
    foundBy: { kind: 'tests', files: ['src/env/real/disk', 'test/ports/disk'] },
  },
  'epochs-not-rebuilt': {
    file: 'src/broker/log/recovery/walk.ts',
    from: 'epochs.assign(header.leaderEpoch, header.baseOffset)',
    to: 'void epochs',
    foundBy: { kind: 'tests', files: ['src/broker/log/append/growth', 'src/broker/log/log.test'] },
  },
  'restarts-while-one-is-away': {
    file: 'src/operator/plan/roll.ts',
    from: 'const away = views.find(view => !isServing(view))',
    to: 'const away = views.find(view => view.pod === null)',
    also: {
      from: 'if (count > 0) return wait(riskText(count, names), { next, partitions: names })',
      to: 'if (count > 1_000) return wait(riskText(count, names), { next, partitions: names })',
    },
    foundBy: operatorEnds,
  },
}
