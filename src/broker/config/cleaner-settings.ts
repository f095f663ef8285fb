import { bool, double, int, long } from './setting.ts'
import { mebibyte, second } from './units.ts'

/** What the log cleaner goes by beside the configs of topics. Names, ranges and defaults are Kafka's. */
export const cleanerSettings = {
  'log.cleaner.enable': bool({
    default: true,
    effect: 'at restart',
    doc: 'Compacted topics are compacted. false: they keep everything, the topic of consumer offsets too.',
  }),
  'log.cleaner.threads': int({
    default: 1,
    unit: 'threads',
    effect: 'never',
    doc: 'One log is compacted at a time, in one thread.',
  }),
  'log.cleaner.backoff.ms': long({
    default: 15 * second,
    unit: 'ms',
    effect: 'at once',
    doc: 'A compacted log in which something changed is looked at after this long.',
  }),
  'log.cleaner.dedupe.buffer.size': long({
    default: 128 * mebibyte,
    unit: 'bytes',
    min: mebibyte,
    effect: 'at once',
    doc: 'Most memory for the keys of a log that is being compacted, 24 bytes each; taken only then, and no more than its dirty records need. Of more keys the oldest come first, and the others in the next run.',
  }),
  'log.cleaner.io.buffer.size': int({
    default: mebibyte / 2,
    unit: 'bytes',
    effect: 'at once',
    doc: 'Bytes of a segment that compaction reads at once, at least 64 KiB; more where a batch is larger.',
  }),
  'log.cleaner.io.buffer.load.factor': double({
    default: 0.9,
    min: -Infinity,
    effect: 'at once',
    doc: 'Share of the memory for keys that is filled: the more, the longer each key is searched for. Outside of 0 to 1: 0.95.',
  }),
  'log.cleaner.io.max.bytes.per.second': double({
    default: Number.MAX_VALUE,
    min: -Infinity,
    unit: 'bytes',
    effect: 'at once',
    doc: 'Compaction reads and writes no more than this together, on average.',
  }),
} as const
