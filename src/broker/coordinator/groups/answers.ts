import type { GroupError, JoinAnswer, PlainAnswer, SyncAnswer } from './events.ts'

export function refusedJoin(error: GroupError, memberId: string): JoinAnswer {
  return {
    type: 'join',
    error,
    generation: -1,
    protocolType: null,
    protocol: null,
    leaderId: '',
    memberId,
    skipAssignment: false,
    members: [],
  }
}

export function refusedSync(error: GroupError): SyncAnswer {
  return { type: 'sync', error, protocolType: null, protocol: null, assignment: noBytes }
}

export function plain(error: GroupError): PlainAnswer {
  return { type: 'plain', error }
}

const noBytes = new Uint8Array(0)
