import type { Outcome } from './outcome.ts'

/** One frame that once did harm. */
export interface Regression {
  /** What it is, and what it did. */
  readonly why: string
  /** The whole frame with its length prefix, in hex. */
  readonly frame: string
  readonly outcome: Outcome
}

/**
 * Where the campaign fails it prints its last frames in this form, the newest at the end: send them one by one to find
 * which it was, say why, and put it here together with the fix.
 */
export const regressions: readonly Regression[] = [
  {
    why: 'Metadata v10 for a topic with neither name nor id: the answer could not be encoded, the broker ended (1628b73)',
    frame: '000000260003000a00000007000466757a7a000200000000000000000000000000000000000001000000',
    outcome: 'answered',
  },
  {
    why: 'Metadata v11 for a topic with neither name nor id: as v10',
    frame: '000000250003000b00000007000466757a7a0002000000000000000000000000000000000000010000',
    outcome: 'answered',
  },
  {
    why: 'Metadata v10 by an id, which these versions carry and cannot answer for: as without',
    frame: '000000260003000a00000007000466757a7a000200108310518720928b30d38f41149350000001000000',
    outcome: 'answered',
  },
  {
    why: 'Metadata v12 for a topic with neither name nor id: null is an answer there',
    frame: '000000250003000c00000007000466757a7a0002000000000000000000000000000000000000010000',
    outcome: 'answered',
  },
  {
    why: 'Metadata v1 with two bytes behind its end: closed, though librdkafka sends such requests (717fa8f)',
    frame: '000000140003000100000007000466757a7affffffff0000',
    outcome: 'answered',
  },
  {
    why: 'Produce v3 to a topic whose name is not UTF-8',
    frame: `000000710000000300000007000466757a7affff000100007530000000010003fffefd000000010000000000000046${'00'.repeat(70)}`,
    outcome: 'answered',
  },
  {
    why: 'JoinGroup v4 of the group without a name: it had members (16fa9c7)',
    frame:
      '00000033000b000400000007000466757a7a000000001770000003e800000008636f6e73756d657200000001000572616e676500000000',
    outcome: 'answered',
  },
  {
    why: 'CreateTopics v4 with a config name of 30,000 bytes: the hint cost a third of a second each (1108874)',
    frame: `000075600013000400000007000466757a7a0000000100047769736800000001000100000000000000017530${'61'.repeat(30_000)}000131000003e801`,
    outcome: 'answered',
  },
]
