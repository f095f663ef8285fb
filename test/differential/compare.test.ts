import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Api, Field, Fields } from '../../src/broker/wire/field.ts'
import { apis } from '../../src/broker/wire/messages/index.ts'
import { differences, keys } from './compare.ts'
import { isList, isStruct, type Json } from './json.ts'
import { arrangedLists, masked, masks } from './mask.ts'
import { readRecorded } from './recorded.ts'
import { themes } from './scenarios.ts'

/** Every answer that was recorded. */
const recorded = Object.keys(themes).flatMap(theme => {
  return Object.values(readRecorded(theme) ?? {}).flatMap(answers => Object.values(answers))
})

/** What describe-records.ts makes of the records of a fetch. */
const batchPaths = ['maxTimestamp'].map(
  name => `Fetch.responses.partitions.records.batches.${name}`,
)

describe('a comparison', () => {
  test('sees that there are answers', () => {
    expect(recorded.length).toBeGreaterThan(1000)
  })

  test('finds nothing between an answer and itself', () => {
    for (const answer of recorded) expect(differences(answer, structuredClone(answer))).toEqual([])
  })

  test('finds a planted difference in any field, and that one alone', () => {
    const planted = fc.constantFrom(...recorded).chain(answer => {
      return fc.tuple(fc.constant(answer), fc.constantFrom(...leavesOf(answer)), scalar)
    })
    fc.assert(
      fc.property(planted, ([answer, path, value]) => {
        const before = at(answer, path)
        fc.pre(value !== before)
        const found = differences(withAt(answer, path, value), answer)
        expect(found).not.toEqual([])
        // An element with another name is another element.
        if (keys.includes(String(path.at(-1)))) return
        expect(found).toMatchObject([{ ours: value, kafkas: before }])
      }),
      { numRuns: 5000 },
    )
  })

  test('finds a field too many, one too few, and another order', () => {
    const answer = {
      topics: [
        { name: 'a', error: 0 },
        { name: 'b', error: 3 },
      ],
    }
    const more = { topics: [...answer.topics, { name: 'c', error: 0 }] }
    expect(differences(more, answer)).toEqual([
      { path: 'topics[c]', ours: { name: 'c', error: 0 }, kafkas: undefined },
    ])
    expect(differences({ topics: [{ name: 'a' }, answer.topics[1]!] }, answer)).toEqual([
      { path: 'topics[a].error', ours: undefined, kafkas: 0 },
    ])
    expect(differences({ topics: answer.topics.toReversed() }, answer)).toEqual([
      { path: 'topics in order', ours: 'b, a', kafkas: 'a, b' },
    ])
    expect(differences('closed', answer)).toEqual([{ path: '', ours: 'closed', kafkas: answer }])
    expect(differences(undefined, 'closed')).toEqual([
      { path: '', ours: undefined, kafkas: 'closed' },
    ])
  })
})

describe('a mask', () => {
  const paths = [...apis.flatMap(pathsOf), ...batchPaths]

  test.each([...masks.map(({ field }) => field), ...arrangedLists])(
    '%s is of a field that there is',
    field => {
      const isIt = (path: string): boolean => {
        return field.startsWith('*.') ? path.endsWith(field.slice(1)) : path === field
      }
      expect(paths.filter(isIt)).not.toEqual([])
    },
  )

  test('hides ids, places and times, and leaves the rest', () => {
    const answer = {
      clusterId: 'abc',
      brokers: [{ nodeId: 1, host: 'localhost', port: 9092, rack: null }],
      topics: [
        { name: 'mine-a', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' },
        { name: 'another', topicId: 'b' },
      ],
    }
    expect(masked('Metadata', answer, name => name.startsWith('mine-'))).toEqual({
      clusterId: '<set>',
      brokers: [{ nodeId: 1, host: '<set>', port: '<set>', rack: null }],
      topics: [{ name: 'mine-a', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    })
  })

  test('hides what was made up of a member id, and the time of a batch where the broker set it', () => {
    const memberId = 'client-0f4f9a3e-7c4e-4f6a-9d51-0123456789ab'
    expect(masked('LeaveGroup', { members: [{ memberId }] }, all)).toEqual({
      members: [{ memberId: 'client-<id>' }],
    })
    const batches = [0, 8].map(attributes => ({ attributes, maxTimestamp: 7 }))
    const answer = { responses: [{ partitions: [{ records: { batches } }] }] }
    const [, stamped] = batches
    expect(masked('Fetch', answer, all)).toEqual({
      responses: [
        {
          partitions: [
            { records: { batches: [batches[0], { ...stamped, maxTimestamp: '<append time>' }] } },
          ],
        },
      ],
    })
  })
})

const all = (): boolean => true
const scalar: fc.Arbitrary<Json> = fc.oneof(
  fc.integer(),
  fc.boolean(),
  fc.string(),
  fc.constantFrom<Json>(null, 0, -1, '', 'closed'),
)

type Path = readonly (string | number)[]

/** The places of everything in an answer that is no list and no struct, or an empty one. */
function leavesOf(answer: Json): Path[] {
  const inner = isList(answer) || isStruct(answer) ? Object.entries(answer as object) : []
  if (inner.length === 0) return [[]]
  return inner.flatMap(([name, of]) => {
    const step = isList(answer) ? Number(name) : name
    return leavesOf(of as Json).map(path => [step, ...path])
  })
}

function at(answer: Json, path: Path): Json {
  return path.reduce<Json>((of, step) => (of as Record<string | number, Json>)[step]!, answer)
}

function withAt(answer: Json, path: Path, value: Json): Json {
  const [step, ...rest] = path
  if (step === undefined) return value
  if (isList(answer))
    return answer.with(step as number, withAt(answer[step as number]!, rest, value))
  const struct = answer as { readonly [name: string]: Json }
  return { ...struct, [step]: withAt(struct[step]!, rest, value) }
}

function pathsOf({ name, response }: Api): string[] {
  const inside = (fields: Fields, path: string): string[] => {
    return Object.entries(fields).flatMap(([of, { kind }]) => {
      const here = `${path}.${of}`
      const inner = kind.type === 'array' ? (kind.of as Field<unknown>).kind : kind
      return [here, ...(inner.type === 'struct' ? inside(inner.fields, here) : [])]
    })
  }
  return inside(response, name)
}
