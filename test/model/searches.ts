import { oneWrite, type Budget } from './states.ts'

export interface Search {
  readonly what: string
  readonly budget: Budget
}

/** To the end, on every run: what may happen together to one partition on three brokers. */
export const searches: readonly Search[] = [
  {
    what: 'a broker is fenced, and one hears of it late',
    budget: { ...oneWrite, fences: 1, cutOffs: 1 },
  },
  {
    what: 'the same with an answer that is lost',
    budget: { ...oneWrite, fences: 1, cutOffs: 1, lostAnswers: 1 },
  },
  {
    what: 'the same with two records',
    budget: { ...oneWrite, writes: 2, fences: 1, cutOffs: 1 },
  },
  { what: 'two lose power', budget: { ...oneWrite, powerLosses: 2 } },
  { what: 'one is killed, and one loses power', budget: { ...oneWrite, kills: 1, powerLosses: 1 } },
  {
    what: 'one loses power while others lag',
    budget: { ...oneWrite, powerLosses: 1, pauses: 1 },
  },
]

/** By `npm run qualify -- states`, as far as there is room. */
export const longSearches: readonly Search[] = [
  {
    what: 'two records, and two lose power',
    budget: { ...oneWrite, writes: 2, powerLosses: 2 },
  },
  {
    what: 'power loss, fence and lag',
    budget: { ...oneWrite, powerLosses: 1, fences: 1, pauses: 1 },
  },
  {
    what: 'power loss, fence, one that hears late, and a lost answer',
    budget: { ...oneWrite, powerLosses: 1, fences: 1, cutOffs: 1, lostAnswers: 1 },
  },
  {
    what: 'two records, two power losses and a fence',
    budget: { ...oneWrite, writes: 2, powerLosses: 2, fences: 1 },
  },
  {
    what: 'two fences, lag, one that hears late, and a lost answer',
    budget: { ...oneWrite, fences: 2, pauses: 1, cutOffs: 1, lostAnswers: 1 },
  },
]
