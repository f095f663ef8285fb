import { expect, test } from 'vitest'
import { WatchLines } from './watch-lines.ts'

test('lines are whole, wherever the chunks are cut, in the middle of a character too', () => {
  const bytes = new TextEncoder().encode('{"é":1}\n{"b":2}\n\n{"c"')
  for (let cut = 0; cut <= bytes.length; cut++) {
    const lines = new WatchLines()
    const got = [...lines.push(bytes.subarray(0, cut)), ...lines.push(bytes.subarray(cut))]
    expect(got).toEqual(['{"é":1}', '{"b":2}'])
  }
})
