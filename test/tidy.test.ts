import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bannedUses, impatientTests, mayCopy, testSwitches, unfinishedMarks } from './tidy/bans.ts'
import { lostCitations, lostPaths, uncitedRules } from './tidy/citations.ts'
import { codeOf } from './tidy/code.ts'
import { missingDoors, unnamedRooms, withoutDoor } from './tidy/doors.ts'
import { secondHomes } from './tidy/homes.ts'
import { brokenLayers, circles, importsOf } from './tidy/layer-check.ts'
import { layers } from './tidy/layers.ts'
import { constantsOf, modulesOf, nativeCircles, writtenTwice } from './tidy/native.ts'
import { isTest, isUnder, lineCount, readSources, type Source } from './tidy/sources.ts'

const root = join(import.meta.dirname, '..')
const sources = readSources(root, ['src', 'sim', 'test', 'tools', 'bench'], ['.ts'])
const product = sources.filter(({ path }) => isUnder(path, 'src') && !isTest(path))
const native = readSources(root, ['native', 'bench'], ['.c', '.h'])
const addon = native.filter(({ path }) => isUnder(path, 'native'))
const documents = [
  ...readdirSync(root)
    .filter(name => name.endsWith('.md'))
    .map(path => ({ path, text: readFileSync(join(root, path), 'utf8') })),
  ...readSources(root, ['src', 'docs', 'charts'], ['.md']),
]
/** Whatever cites a rule or a document; the planted citations below lead nowhere by intent. */
const citing = [
  ...documents,
  ...readSources(
    root,
    ['src', 'sim', 'test', 'tools', 'bench', 'native', '.ci'],
    ['.ts', '.mjs', '.c', '.h', '.py', '.java', '.sh', '/run'],
  ),
].filter(({ path }) => !path.startsWith('test/tidy'))

const fileLinesMax = 400
const nativeLinesMax = 3000

function tooLong(files: readonly Source[]): string[] {
  return files
    .filter(file => lineCount(file) > fileLinesMax)
    .map(file => `${file.path}: ${lineCount(file)} lines, of ${fileLinesMax} allowed`)
}

describe('the repository', () => {
  test('is seen by these checks', () => {
    expect(product.length).toBeGreaterThan(10)
    expect(sources.filter(({ path }) => path.endsWith('.test.ts')).length).toBeGreaterThan(2)
    expect(product.flatMap(importsOf).length).toBeGreaterThan(product.length / 2)
  })

  test('imports only along the table of layers', () => {
    expect(brokenLayers(sources)).toEqual([])
  })

  test('imports in no circle', () => {
    expect(circles(sources)).toEqual([])
  })

  test('has every layer of the table', () => {
    const places = Object.keys(layers)
    expect(places.filter(place => !product.some(({ path }) => isUnder(path, place)))).toEqual([])
  })

  test('has a front door for each room, with what the room promises', () => {
    const places = Object.keys(layers)
    expect(Object.keys(withoutDoor).filter(room => !places.includes(room))).toEqual([])
    expect(missingDoors(product, places)).toEqual([])
  })

  test('has every room on the page of the house', () => {
    const page = documents.find(({ path }) => path === 'docs/architecture.md')!.text
    expect(unnamedRooms(page, Object.keys(layers))).toEqual([])
  })

  test('has one home for each number and each text that has a name', () => {
    expect(secondHomes(product)).toEqual([])
  })

  test('uses nothing that is banned where it stands', () => {
    expect(bannedUses(sources)).toEqual([])
  })

  test('knows nothing of its tests', () => {
    const addon = native.filter(({ path }) => isUnder(path, 'native'))
    expect(testSwitches([...product, ...addon])).toEqual([])
  })

  test('awaits what comes later with patience', () => {
    expect(impatientTests(sources)).toEqual([])
  })

  test('names no copying file that is gone', () => {
    const gone = Object.keys(mayCopy).filter(place => !product.some(it => isUnder(it.path, place)))
    expect(gone).toEqual([])
  })

  test('has no file over 400 lines', () => {
    expect(tooLong([...sources, ...native])).toEqual([])
  })

  test('has no mark of unfinished work', () => {
    const others = sources.filter(({ path }) => !path.startsWith('test/tidy'))
    expect(unfinishedMarks([...others, ...native])).toEqual([])
  })

  test('has what it cites: documents, sections, marks and decisions', () => {
    expect(citing.length).toBeGreaterThan(sources.length)
    expect(lostCitations(citing, documents)).toEqual([])
  })

  test('has no rule that nothing cites', () => {
    expect(uncitedRules(citing, documents)).toEqual([])
  })

  test('has every path that CONTRIBUTING.md names', () => {
    const paths = [...citing, ...sources].map(({ path }) => path)
    const ladder = documents.filter(({ path }) => path === 'CONTRIBUTING.md')
    expect(ladder).toHaveLength(1)
    expect(lostPaths(ladder, paths)).toEqual([])
  })

  test('has modules of C that call and include each other in no circle', () => {
    const modules = modulesOf(addon)
    expect(modules.length).toBeGreaterThan(10)
    expect(modules.flatMap(({ functions }) => functions).length).toBeGreaterThan(50)
    expect(nativeCircles(addon)).toEqual([])
  })

  test('writes no number of the addon twice', () => {
    expect(addon.flatMap(({ text }) => constantsOf(text)).length).toBeGreaterThan(15)
    const face = product.filter(({ path }) => isUnder(path, 'src/broker/native'))
    expect(face.length).toBeGreaterThan(5)
    const systems = 'src/broker/native/errno.ts' // errnos, which are the kernel's numbers
    expect(
      writtenTwice(
        addon,
        face.filter(({ path }) => path !== systems),
      ),
    ).toEqual([])
  })

  test('keeps the addon under 3,000 lines of C', () => {
    expect(addon.length).toBeGreaterThan(0)
    expect(addon.reduce((sum, file) => sum + lineCount(file), 0)).toBeLessThanOrEqual(
      nativeLinesMax,
    )
  })
})

/** One planted violation a row: where, what, and a word of the complaint. */
const planted: readonly [path: string, text: string, complaint: string][] = [
  ['src/broker/log/a.ts', "import { x } from '../server/x.ts'", 'src/broker/server/x.ts'],
  ['src/broker/log/a.ts', "import type { X } from '../wire/field.ts'", 'src/broker/wire/field.ts'],
  ['src/broker/log/a.ts', "export { x } from '../native/x.ts'", 'src/broker/native/x.ts'],
  [
    'src/broker/log/a.ts',
    "import {\n  x,\n} from '../../env/real/disk.ts'",
    'src/env/real/disk.ts',
  ],
  ['src/broker/log/a.ts', "import 'node:fs'", 'node:fs'],
  ['src/broker/log/a.ts', "const x = await import('left-pad')", 'left-pad'],
  ['src/broker/log/a.ts', "import { x } from './b.test.ts'", 'b.test.ts'],
  ['src/broker/log/segment/a.ts', "import { x } from '../append/growth.ts'", 'append/growth.ts'],
  ['src/broker/log/batch/a.ts', "import { x } from '../state/log-state.ts'", 'log-state.ts'],
  [
    'src/broker/partition/replica/a.ts',
    "import { x } from '../../../env/env.ts'",
    'src/env/env.ts',
  ],
  [
    'src/broker/cluster/controller/a.ts',
    "import { x } from '../../metadata/store.ts'",
    'metadata/store.ts',
  ],
  ['src/broker/server/a.ts', "import { x } from '../log/log.ts'", 'src/broker/log/log.ts'],
  ['src/broker/handlers/a.ts', "import { x } from '../log/log.ts'", 'src/broker/log/log.ts'],
  [
    'src/broker/handlers/a.ts',
    "import type { X } from '../log/batch/batch.ts'",
    'src/broker/log/batch/batch.ts',
  ],
  [
    'src/broker/handlers/a.ts',
    "import { x } from '../partition/replica/replica.ts'",
    'src/broker/partition/replica/replica.ts',
  ],
  ['src/broker/broker.ts', "import { x } from './main.ts'", 'src/broker/main.ts'],
  ['src/broker/broker.ts', "import { x } from '../../test/x.ts'", 'test/x.ts'],
  ['src/lib/a.ts', "import { x } from '../env/env.ts'", 'src/env/env.ts'],
  ['src/attic/a.ts', 'export const x = 1', 'no row'],
  ['sim/a.ts', "import { x } from '../src/env/real/clock.ts'", 'src/env/real/clock.ts'],
  ['src/broker/log/a.ts', 'const at = Date.now()', 'Date.now'],
  ['src/broker/log/a.ts', 'const at = new Date()', 'new Date()'],
  ['src/env/a.ts', 'performance.now()', 'performance.now'],
  ['src/broker/handlers/a.ts', 'setTimeout(act, 1)', 'setTimeout'],
  ['sim/a.ts', 'setImmediate(act)', 'setImmediate'],
  ['src/broker/cluster/a.ts', 'Math.random()', 'Math.random'],
  ['src/broker/cluster/a.ts', 'randomBytes(4)', 'randomBytes'],
  ['src/broker/broker.ts', 'process.exit(1)', 'process.'],
  ['src/broker/broker.ts', 'console.log(1)', 'console.'],
  ['src/broker/partition/replica/a.ts', 'async function step() {}', 'async'],
  ['src/broker/cluster/controller/a.ts', 'const x: Promise<void> = y', 'Promise'],
  ['src/broker/handlers/a.ts', 'send(Buffer.concat([header, records]))', 'Buffer.concat'],
  ['src/broker/partition/a.ts', 'append(records.slice(0, 9))', '.slice('],
  ['src/broker/server/a.ts', 'out.set(frame.subarray(4), at)', '.set('],
  ['src/broker/log/a.ts', 'keep(new Uint8Array(records))', 'new Uint8Array'],
  ['src/broker/log/append/a.ts', 'readBatchHeader(records, 0)', 'parsed once'],
  ['src/broker/log/a.ts', 'f(`${Date.now()}`)', 'Date.now'],
]

describe('a planted violation is caught', () => {
  for (const [path, text, complaint] of planted) {
    test(`${path}: ${text.replaceAll('\n', ' ')}`, () => {
      const source = { path, text: `/** A noun. */\n${text}\n` }
      const found = [...brokenLayers([source]), ...bannedUses([source])]
      expect(found).toHaveLength(1)
      expect(found[0]).toContain(complaint)
      expect(found[0]).toMatch(path.startsWith('src/attic') ? /^src/ : /:\d+: /)
    })
  }

  test('a room without a front door, and one with two', () => {
    const door = (path: string): Source => ({ path, text: '/** The front door of the room: x. */' })
    const missing = (...files: Source[]): string[] => missingDoors(files, ['src/a', 'src/a/b'])
    const both = [door('src/a/a.ts'), door('src/a/b/b.ts')]
    expect(missing(...both)).toEqual([])
    expect(missing(door('src/a/a.ts'))).toEqual([expect.stringContaining('src/a/b has no file')])
    expect(missing(...both, door('src/a/c.ts'))).toEqual([expect.stringContaining('src/a/c.ts')])
  })

  test('a room that is not on the page', () => {
    const unnamed = (page: string): string[] =>
      unnamedRooms(page, ['src/a', 'src/a/b', 'src/a/c.ts'])
    expect(unnamed('`src/a` and `b/`')).toEqual([])
    expect(unnamed('`a/b` and c')).toEqual([expect.stringContaining('does not name src/a')])
  })

  test('a number with two homes', () => {
    const a = { path: 'src/lib/a.ts', text: 'x\nexport const leaseMs = 10_000\n' }
    const b = (text: string): Source => ({ path: 'src/env/b.ts', text })
    expect(secondHomes([a, b('const leaseMs = 10000')])).toEqual([
      'leaseMs = 10000 stands in src/lib/a.ts and src/env/b.ts: give it one home',
    ])
    expect(secondHomes([a, b('const leaseMs = 20_000\n// const leaseMs = 10_000')])).toEqual([])
  })

  test('a file of 401 lines', () => {
    const lines = (count: number): Source => ({ path: 'src/lib/a.ts', text: 'x\n'.repeat(count) })
    expect(tooLong([lines(400)])).toEqual([])
    expect(tooLong([lines(401)])).toHaveLength(1)
  })

  test('a switch for tests, in code, in a comment and in a name', () => {
    const path = 'src/broker/log/a.ts'
    const found = (text: string, at = path) => testSwitches([{ path: at, text }])
    expect(found("if (state.host.sabotage.has('crc')) return")[0]).toContain(`${path}:1: sabotage`)
    expect(found('x\n/** Test builds only. */')[0]).toContain(':2: Test builds')
    expect(found('if (env.plantedBug) return')).toHaveLength(1)
    expect(found('if (poisonsReleased) fill()')).toHaveLength(1)
    expect(found("if (process.env['VITEST']) return")).toHaveLength(1)
    expect(found('', 'src/broker/native/native-for-tests.ts')).toHaveLength(1)
    expect(found('// checked in a test\nconst latest = best')).toEqual([])
  })

  test('a test that waits for a second', () => {
    const found = (text: string) => impatientTests([{ path: 'test/a.test.ts', text }])
    expect(found('await expect\n  .poll(() => lines)').length).toBe(1)
    expect(found('await vi.waitFor(() => lines)')[0]).toContain('test/a.test.ts:1: vi.waitFor')
    expect(found('await group.poll()')).toEqual([])
  })

  test('a mark in a comment', () => {
    expect(unfinishedMarks([{ path: 'src/lib/a.ts', text: 'x\n// TODO: y\n' }])).toHaveLength(1)
  })

  test('a citation that leads nowhere, and a rule that nothing cites', () => {
    const notes = { path: 'docs/protocol-notes.md', text: '- **G1** A rule.\n- **I-2** Another.\n' }
    const durability = { path: 'docs/durability.md', text: '### 3.4 A section\n' }
    const decision = { path: 'docs/decisions/0001-a-title.md', text: '' }
    const known = [notes, durability, decision]
    const lost = (text: string) => lostCitations([{ path: 'src/lib/a.ts', text }], known)
    const right =
      '// G1, I-2, durability.md 3.4, `docs/durability.md`\n/* durability.md\n * 3.4, decision 0001 */'
    expect(lost(right)).toEqual([])
    expect(uncitedRules([{ path: 'src/lib/a.ts', text: right }, ...known], known)).toEqual([])
    for (const [text, what] of [
      ['// G2', 'G2'],
      ["test('R1b', f)", 'R1b'],
      ['// L0 finds it', 'L0'],
      ['// durability.md 3.5', 'durability.md 3.5'],
      ['/* durability.md\n * 3.5 */', 'durability.md 3.5'],
      ['// durability.md 3.4 and 3.5', 'durability.md 3.5'],
      ['// durability.md G1', 'durability.md G1'],
      ['// reliability.md', 'reliability.md'],
      ['// decision 0002', 'docs/decisions/0002'],
    ] as const) {
      expect(lost(text)).toEqual([expect.stringContaining(`: ${what} leads nowhere`)])
    }
    expect(uncitedRules([{ path: 'src/lib/a.ts', text: '// G1' }, ...known], known)).toEqual([
      expect.stringContaining('nothing cites I-2'),
      expect.stringContaining('nothing cites 3.4'),
    ])
  })

  test('a path that is not there', () => {
    const paths = ['src/broker/config/settings.ts', 'native/slab.c']
    const lost = (text: string) => lostPaths([{ path: 'CONTRIBUTING.md', text }], paths)
    expect(
      lost('`src/broker/config`, `config/settings.ts`, `settings.ts`, `src/NN-name.ts`'),
    ).toEqual([])
    expect(lost('a `src/broker/configs`')).toEqual([
      'CONTRIBUTING.md:1: there is no src/broker/configs',
    ])
    expect(lost('`setting.ts`')).toHaveLength(1)
  })

  test('a circle of imports, of types too, and not its tail', () => {
    const files = [
      { path: 'src/lib/a.ts', text: "import type { B } from './b.ts'" },
      { path: 'src/lib/b.ts', text: "import { c } from './c.ts'" },
      { path: 'src/lib/c.ts', text: "export { a } from './a.ts'\nimport { d } from './d.ts'" },
      { path: 'src/lib/d.ts', text: '' },
    ]
    expect(circles(files)).toEqual(['src/lib/a.ts <-> src/lib/b.ts <-> src/lib/c.ts'])
  })

  test('a circle of modules of C, by an include and by a call', () => {
    const a = {
      path: 'native/a.c',
      text: '#include "a.h"\nint a_run(int x) {\n  return b_run(x);\n}\n',
    }
    const b = { path: 'native/b.c', text: 'int b_run(int x) {\n  return x;\n}\n' }
    const c = { path: 'native/b.c', text: 'int b_run(int x) {\n  return a_run(x); /* up */\n}\n' }
    const header = { path: 'native/b.h', text: '#include "a.h"\n' }
    expect(nativeCircles([a, b])).toEqual([])
    expect(nativeCircles([a, c])).toEqual(['a <-> b'])
    expect(nativeCircles([a, b, header])).toEqual(['a <-> b'])
    const own = { path: 'native/b.c', text: 'static int a_run(int x) {\n  return x;\n}\n' }
    expect(modulesOf([own])[0]?.functions).toEqual([])
  })

  test('a number of the addon that TypeScript writes again', () => {
    const c = { path: 'native/a.c', text: 'enum { FIRST, PARTS_PER_CALL = 4 * 64, TWO = 2 };' }
    const ours = (text: string): Source[] => [{ path: 'src/broker/native/a.ts', text }]
    expect(writtenTwice([c], ours('// 256\nconst parts = 256'))).toEqual([
      'src/broker/native/a.ts:2: 256 is PARTS_PER_CALL of C; read it from there',
    ])
    expect(writtenTwice([c], ours("const parts = binding.partsPerCall + 2 + '256'"))).toEqual([])
  })
})

describe('what is allowed passes', () => {
  const allowed: readonly [path: string, text: string][] = [
    ['src/broker/log/batch/a.ts', "import { errorCode } from '../../wire/errors.ts'"],
    ['src/broker/log/batch/a.ts', "import { x } from '../compression/x.ts'"],
    ['src/broker/log/compression/a.ts', "import { gunzip } from 'node:zlib'"],
    ['src/broker/cluster/controller/a.ts', "import type { X } from '../../metadata/records.ts'"],
    ['src/broker/broker.ts', "import { realClock } from '../env/real/clock.ts'"],
    ['src/broker/run.ts', "import { readFileSync } from 'node:fs'\nprocess.exit(Date.now())"],
    ['src/env/real/a.ts', 'setTimeout(act, Date.now())'],
    ['src/broker/log/a.ts', "// Date.now() is banned\nconst x = 'Math.random()'"],
    ['src/broker/log/a.test.ts', "import { x } from 'vitest'\nrecords.slice(Date.now())"],
    ['src/broker/log/compression/a.ts', 'Buffer.concat(parts)'],
    ['src/broker/log/a.ts', 'const x = /Date.now/.test(name) ? a / b : `Math.random()`'],
  ]
  for (const [path, text] of allowed) {
    test(`${path}: ${text.replaceAll('\n', ' ')}`, () => {
      const source = { path, text }
      expect([...brokenLayers([source]), ...bannedUses([source])]).toEqual([])
    })
  }
})

test('code is told from comments, strings and regular expressions', () => {
  const text = [
    'a // b',
    "c('d\\'e') /* f",
    'g */ h',
    '`i${j + `k${l}`}m` / n',
    'o(/p[/]q/, r)',
  ].join('\n')
  const code = codeOf(text)
  expect(code).toHaveLength(text.length)
  expect(code.match(/[a-z]/g)?.join('')).toBe('achjlnor')
  for (const source of product) expect(codeOf(source.text)).toHaveLength(source.text.length)
})
