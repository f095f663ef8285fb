import {
  api,
  array,
  int16,
  int32,
  int8,
  nullable,
  string,
  type Draft,
  type Infer,
} from '../field.ts'

/**
 * FindCoordinator: the broker that coordinates a group, a transactional id (v1) or a share partition (v6). v4 asks
 * for many keys at once (KIP-699).
 */
export const findCoordinator = api({
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 6],
  flexible: 3,
  request: {
    key: string.until(3),
    /** 0: group. 1: transactional id. 2: share partition. */
    keyType: int8.since(1),
    coordinatorKeys: array(string).since(4),
  },
  response: {
    throttleTimeMs: int32.since(1),
    errorCode: int16.until(3),
    errorMessage: nullable(string).since(1).until(3),
    nodeId: int32.until(3),
    host: string.until(3),
    port: int32.until(3),
    coordinators: array({
      key: string,
      nodeId: int32,
      host: string,
      port: int32,
      errorCode: int16,
      errorMessage: nullable(string),
    }).since(4),
  },
})

export type FindCoordinatorRequest = Infer<typeof findCoordinator.request>
export type FindCoordinatorResponse = Draft<typeof findCoordinator.response>
