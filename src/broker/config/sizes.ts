import type { Settings } from './settings.ts'

/** What is wrong between numbers that each are right: sentences that say what to do. */
export function sizeProblems(settings: Settings): string[] {
  const problems: string[] = []
  if (settings.queuedMaxRequestBytes < settings.socketRequestMaxBytes) {
    problems.push(
      'queued.max.request.bytes is less than socket.request.max.bytes, so the largest request could ' +
        'never be read: raise the first or lower the second',
    )
  }
  if (settings.messageMaxBytes > settings.socketRequestMaxBytes) {
    problems.push(
      'message.max.bytes is more than socket.request.max.bytes, so the largest batch could never ' +
        'arrive: lower the first or raise the second',
    )
  }
  const { logCleanerMinCompactionLagMs: least, logCleanerMaxCompactionLagMs: most } = settings
  if (least > most) {
    problems.push(
      `log.cleaner.min.compaction.lag.ms is ${least} and more than log.cleaner.max.compaction.lag.ms, which is ${most}, so no ` +
        'topic could be created: lower the first or raise the second',
    )
  }
  return problems
}
