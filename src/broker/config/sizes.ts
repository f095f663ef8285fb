import { camel, type SettingName, type Settings } from './settings.ts'

export interface SizeProblem {
  /** Between these. */
  readonly names: readonly SettingName[]
  /** A sentence that says what to do. */
  readonly text: string
}

/** What is wrong between numbers that each are right. */
export function sizeProblems(settings: Settings): SizeProblem[] {
  return relations.filter(({ names: [greater, less] }) => {
    return settings[camel(greater)] < settings[camel(less)]
  })
}

/** The first is to be no less than the second. */
const relations = [
  {
    names: ['queued.max.request.bytes', 'socket.request.max.bytes'],
    text:
      'queued.max.request.bytes is less than socket.request.max.bytes, so the largest request could ' +
      'never be read: raise the first or lower the second',
  },
  {
    names: ['socket.request.max.bytes', 'message.max.bytes'],
    text:
      'message.max.bytes is more than socket.request.max.bytes, so the largest batch could never ' +
      'arrive: lower the first or raise the second',
  },
  {
    names: ['log.cleaner.max.compaction.lag.ms', 'log.cleaner.min.compaction.lag.ms'],
    text:
      'log.cleaner.min.compaction.lag.ms is more than log.cleaner.max.compaction.lag.ms, so no topic could be ' +
      'created: lower the first or raise the second',
  },
] as const
