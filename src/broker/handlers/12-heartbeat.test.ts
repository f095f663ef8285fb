import { expect, test } from 'vitest'
import type { Coordinator } from '../coordinator/coordinator.ts'
import type { GroupError } from '../coordinator/groups/events.ts'
import { errorCode } from '../wire/errors.ts'
import { heartbeatHandler } from './12-heartbeat.ts'
import type { RequestContext } from './handler.ts'

test.each<[GroupError, GroupError]>([
  ['COORDINATOR_LOAD_IN_PROGRESS', 'NONE'],
  ['NOT_COORDINATOR', 'NOT_COORDINATOR'],
  ['NONE', 'ILLEGAL_GENERATION'],
])('a member is told, where nothing of its group is said because of %s: %s', async (why, told) => {
  const coordinator = {
    refusal: () => why,
    heartbeat: () => Promise.resolve('ILLEGAL_GENERATION'),
  } as unknown as Coordinator
  const request = { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null }
  const answer = await heartbeatHandler(coordinator).handle(request, {} as RequestContext)
  expect(answer!.errorCode).toBe(errorCode(told))
})
