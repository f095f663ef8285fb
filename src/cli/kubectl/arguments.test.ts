import { describe, expect, test } from 'vitest'
import { readArguments } from './arguments.ts'

function refusal(...args: string[]): string {
  const read = readArguments(args)
  return read.kind === 'refused' ? read.problem : `not refused: ${read.kind}`
}

describe('arguments of kubectl logcluster', () => {
  test('are a verb, a name, and options of kubectl wherever they stand', () => {
    const args = ['--context', 'far', 'status', '-n', 'streaming', 'orders', '--as=anna']
    expect(readArguments(args)).toEqual({
      kind: 'wish',
      wish: {
        verb: 'status',
        name: 'orders',
        connection: ['--context=far', '--as=anna'],
        scope: ['--namespace=streaming'],
        broker: null,
        acceptDataLoss: null,
        output: null,
        state: null,
        throttle: null,
        input: null,
        isExport: false,
        isTopicsOnly: false,
      },
    })
  })

  test('have the namespace of the context where they name none', () => {
    expect(readArguments(['status'])).toMatchObject({ wish: { name: null, scope: [] } })
    expect(readArguments(['status', '-A'])).toMatchObject({ wish: { scope: ['--all-namespaces'] } })
  })

  test('accept a loss of data by the name of the broker, and by nothing else', () => {
    expect(
      readArguments(['replace', 'orders-main-0', '--accept-data-loss=orders-main-0']),
    ).toMatchObject({ wish: { name: 'orders-main-0', acceptDataLoss: 'orders-main-0' } })
    expect(readArguments(['replace', 'orders-main-0'])).toMatchObject({
      wish: { acceptDataLoss: null },
    })
    for (const accepted of ['true', 'orders-main-1', '']) {
      expect(refusal('replace', 'orders-main-0', `--accept-data-loss=${accepted}`)).toBe(
        '--accept-data-loss must repeat the name of the broker, orders-main-0: what is on its disk alone is lost',
      )
    }
  })

  test.each([
    [['stauts'], 'stauts is no command of kubectl logcluster: did you mean status?'],
    [['restart'], 'restart needs the name of a LogCluster'],
    [['replace'], 'replace needs the name of a LogBroker'],
    [['status', 'a', 'b'], 'status takes one name at most'],
    [['report', 'a', '-A'], '--all-namespaces is for status without a name'],
    [['status', 'a', '--broker=b'], '--broker is for restart only'],
    [
      ['status', '--namespce=b'],
      '--namespce is no option of kubectl logcluster: did you mean --namespace?',
    ],
    [['status', '-n'], '-n needs a value after it'],
    [['rebalance', 'a'], 'rebalance needs --state or --throttle: status tells how far it is'],
    [['rebalance', 'a', '--state=Off'], '--state is one of Active, Paused, Cancelled'],
  ])('%j are refused', (args, problem) => {
    expect(refusal(...args)).toBe(problem)
  })

  test.each([[[]], [['help']], [['status', '--help']], [['-h']]])('%j ask for help', args => {
    expect(readArguments(args)).toEqual({ kind: 'help' })
  })

  test('have flags that take no value, and an import needs its document', () => {
    expect(readArguments(['report', '--export', 'orders', '--output=there'])).toMatchObject({
      wish: { name: 'orders', isExport: true, output: 'there' },
    })
    expect(readArguments(['import', 'orders', '--input', '-', '--topics-only'])).toMatchObject({
      wish: { name: 'orders', input: '-', isTopicsOnly: true },
    })
    expect(refusal('import', 'orders')).toContain('import needs --input=FILE')
    expect(refusal('report', 'orders', '--export=yes')).toBe('--export takes no value')
    expect(refusal('status', '--export')).toBe('--export is for report only')
  })
})
