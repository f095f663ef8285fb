import { describe, expect, test } from 'vitest'
import { definitions, schemaOf } from './definitions.ts'
import { rulesOf } from './fields.ts'

interface Numbers {
  readonly wanted?: number
  readonly had?: number
  readonly isUntold?: true
}

const topics = definitions.find(({ kind }) => kind === 'LogTopic')!

function topicOf({ wanted, had, isUntold }: Numbers): object {
  const spec = wanted === undefined ? {} : { partitions: wanted }
  return isUntold ? { spec } : { spec, status: had === undefined ? {} : { partitions: had } }
}

/** Whether all rules pass that are about the number of partitions. They are read as JavaScript, which these are but for `has`. */
function passes(before: Numbers, wanted: number | undefined): boolean {
  const rules = rulesOf(schemaOf(topics)).filter(({ rule }) => /partitions/.test(rule.rule))
  expect(rules.map(({ path }) => path)).toEqual([''])
  const old = topicOf(before)
  const next = { ...old, ...topicOf({ ...(wanted !== undefined && { wanted }), isUntold: true }) }
  return rules.every(({ rule }) => {
    const code = rule.rule.replaceAll(/has\(([\w.]+)\)/g, '($1 !== undefined)')
    // oxlint-disable-next-line typescript/no-implied-eval -- our own rules
    return new Function('self', 'oldSelf', `return ${code}`)(next, old) as boolean
  })
}

describe('the partitions of a LogTopic', () => {
  test.each([
    ['that nobody has looked at', { wanted: 6, isUntold: true }],
    ['of which nothing was made', { wanted: 6 }],
    ['that wishes for none', { had: 6 }],
  ] as const)('%s are any number, or none', (_, before) => {
    expect([1, 6, 12, undefined].map(wanted => passes(before, wanted))).not.toContain(false)
  })

  test('that were made stay, and more may come', () => {
    const passed = [5, 6, 12, undefined].map(wanted => passes({ wanted: 6, had: 6 }, wanted))
    expect(passed).toEqual([false, true, true, false])
  })

  test('that were wished for and not made are taken back, down to what there is', () => {
    const passed = [5, 6, 7, undefined].map(wanted => passes({ wanted: 60, had: 6 }, wanted))
    expect(passed).toEqual([false, true, true, false])
  })

  test('that are fewer than others made come nearer in any step', () => {
    const passed = [2, 3, 4, 9].map(wanted => passes({ wanted: 3, had: 6 }, wanted))
    expect(passed).toEqual([false, true, true, true])
  })
})
