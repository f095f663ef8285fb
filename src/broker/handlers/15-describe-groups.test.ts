import { expect, test } from 'vitest'
import { describeGroupsHandler } from './15-describe-groups.ts'
import type { RequestContext } from './handler.ts'

test('however often a group is named, it is described once', async () => {
  const coordinator = { refusal: () => 'NONE', views: { describe: () => undefined } }
  const handler = describeGroupsHandler(coordinator as never)
  const groups = ['a', 'b', 'a', 'a']
  const context = { apiVersion: 6 } as RequestContext
  const told = await handler.handle({ groups, includeAuthorizedOperations: false }, context)
  expect(told!.groups!.map(({ groupId }) => groupId)).toEqual(['a', 'b'])
})
