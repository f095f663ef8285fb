import { hastyDisk } from '../../sim/hasty-disk.ts'
import type { Log } from '../../src/broker/log/log.ts'
import {
  recoverLog,
  recoverySteps,
  type RecoverySteps,
} from '../../src/broker/log/recovery/recovery.ts'
import { growthRecords } from '../../src/broker/log/recovery/resume.ts'
import { walkSegment } from '../../src/broker/log/recovery/walk.ts'
import {
  decodeIndexHead,
  decodeOffsets,
  decodeTimes,
} from '../../src/broker/log/segment/index-file.ts'
import { SegmentIndex } from '../../src/broker/log/segment/segment-index.ts'
import type { Segment } from '../../src/broker/log/segment/segment.ts'
import { walkBatches } from '../../src/broker/log/segment/walk.ts'
import { readWhole, type Disk } from '../../src/env/disk.ts'
import type { Env } from '../../src/env/env.ts'
import { readUint32 } from '../../src/lib/bytes.ts'
import { answersEarly, failsEarly, lyingDisk, overtaking, syncsBefore } from './lying-writes.ts'

/**
 * Bugs that are planted to prove that the crash-point test finds them (durability.md 5.4). The product knows
 * nothing of them: each is a disk or a log that lies, or a step of the recovery that does not do its work.
 */
export interface PlantedBug {
  readonly steps?: Partial<RecoverySteps>
  readonly disk?: (disk: Disk) => Disk
  readonly log?: (log: Log) => Log
}

const plantedBugs = {
  /** Recovery believes a batch without its CRC. */
  'crc-unchecked': {
    steps: {
      walkBatches: (file, options, visit) => walkBatches(file, { ...options, crc32c: null }, visit),
    },
  },
  /** An append is answered, and its end offset told, before its write is done. */
  'end-offset-before-write': { disk: disk => hastyDisk(disk, /\.log$/) },
  /** Recovery leaves the bytes after the first broken batch in the file. */
  'keep-torn-tail': {
    steps: {
      cut: async (recovery, segment) => {
        const { grown, endOffset: offset, sizeBytes } = segment
        const position = segment.file.size()
        recovery.truncatedBytes += position - sizeBytes
        segment.resume(segment.index!, { ...grown, offset, position })
      },
    },
  },
  /** Recovery begins with no producer state and replays nothing. */
  'producer-state-not-rebuilt': {
    steps: {
      restoreProducers: async () => {},
      advanceProducers: () => {},
      noteProducer: () => {},
    },
  },
  /** An index file that lies beside a walked segment is believed, whatever it says. */
  'index-trusted': {
    steps: {
      walkSegment: async (recovery, segment, upToOffset) => {
        const end = await walkSegment(recovery, segment, upToOffset)
        segment.loaded(believedIndex(recovery.host.env.disk, segment) ?? segment.index!)
        return end
      },
    },
  },
  /** A growth file is believed beyond the recovery point, without a look at the batches. */
  'growth-trusted': {
    steps: {
      growthRecords: (recovery, records, from, sizeBytes) =>
        growthRecords({ ...recovery, recoveryPoint: Infinity }, records, from, sizeBytes),
      confirmCaches: async () => true,
    },
  },
  /** An append is answered before the thread that writes it is done. */
  'answered-before-thread': { disk: disk => lyingDisk(disk, answersEarly) },
  /** The file is cut while the thread whose write is taken back still writes. */
  'cut-under-thread': { disk: disk => lyingDisk(disk, failsEarly()) },
  /** The durable offset is taken from an fsync that began before the thread's write ended. */
  'durable-before-thread': { disk: disk => lyingDisk(disk, syncsBefore) },
  /** An append overtakes one that came before it. */
  'order-broken': { log: overtaking },
} as const satisfies Record<string, PlantedBug>

export type PlantedBugName = keyof typeof plantedBugs

export const plantedBugNames = Object.keys(plantedBugs) as readonly PlantedBugName[]

/** The world as the bug has it; as it is where none is planted. */
export function plantedEnv(bug: PlantedBugName | null, env: Env): Env {
  const { disk }: PlantedBug = bug === null ? {} : plantedBugs[bug]
  return disk === undefined ? env : { ...env, disk: disk(env.disk) }
}

/** A log as the bug has it. */
export function plantedLog(bug: PlantedBugName | null, log: Log): Log {
  const { log: planted }: PlantedBug = bug === null ? {} : plantedBugs[bug]
  return planted === undefined ? log : planted(log)
}

/** What a directory recovers its logs by. */
export function plantedRecovery(bug: PlantedBugName | null): typeof recoverLog {
  const { steps }: PlantedBug = bug === null ? {} : plantedBugs[bug]
  return options => recoverLog(options, { ...recoverySteps, ...steps })
}

/** Whole files pass; what they speak of is not looked at, and each checksum is what the file says it is. */
function believedIndex(disk: Disk, segment: Segment): SegmentIndex | null {
  const offsetBytes = readWhole(disk, segment.pathOf('offsets'))
  const timeBytes = readWhole(disk, segment.pathOf('times'))
  if (offsetBytes === null || timeBytes === null) return null
  const head = decodeIndexHead('offsets', offsetBytes, () => readUint32(offsetBytes, 8))
  const offsets = decodeOffsets(offsetBytes, () => readUint32(offsetBytes, 12))
  const times = decodeTimes(timeBytes, () => readUint32(timeBytes, 12))
  if (head === null || offsets === null || times === null) return null
  const { newest, logBytes } = head
  return new SegmentIndex(segment.baseOffset, { offsets, times, newest, logBytes })
}
