import { codeOf } from './code.ts'
import { isTest, isUnder, lineAt, type Source } from './sources.ts'

interface Ban {
  readonly places: readonly string[]
  /** Places inside these where it is allowed after all, each with its reason beside it. */
  readonly but?: readonly string[]
  readonly text: RegExp
  readonly instead: string
}

/** Where the real world may be touched: the real twins, the addon's face, and the process itself. */
const shell = [
  'src/env/real',
  'src/broker/native',
  'src/broker/main.ts',
  'src/broker/run.ts',
  'src/operator/run.ts',
  'src/operator/main.ts',
  'src/broker/check.ts',
  'src/broker/process-facts.ts',
  'src/broker/many/run-many.ts',
  'src/broker/many/credentials.ts',
  'src/broker/many/spawned-broker.ts',
  'src/cli/main.ts',
  'src/cli/kubectl/main.ts',
]

/** Rooms that record bytes pass through. */
const recordWay = [
  'src/broker/handlers',
  'src/broker/server',
  'src/broker/partition',
  'src/broker/log',
]

/**
 * Files on that way that may copy bytes, and why. A copy of *record* bytes among them raises
 * `logcluster_copied_bytes_total{reason}`.
 */
export const mayCopy: Readonly<Record<string, string>> = {
  'src/broker/log/compression': 'an opened batch is new bytes by nature',
  'src/broker/log/cleaner/repack.ts': 'a batch without some of its records is new bytes by nature',
  'src/broker/log/batch/records.ts':
    'writes single records for tests and tools; a broker only reads them',
}

/** Names that bytes go by; a `.slice(` of anything else is of text or of a list. */
const bytes = String.raw`\b\w*(?:[Bb]ytes|[Rr]ecords?|[Bb]atch|[Ff]rame|[Bb]uffer|[Pp]ayload|[Cc]hunk|[Ss]lab|[Bb]ody|[Vv]iew)`

/** Every way that bytes are copied by in JavaScript. */
const copying = new RegExp(
  [
    String.raw`\bBuffer\.(?:concat|from|copyBytesFrom)\(`,
    String.raw`(?<!\.)\bconcat\(`,
    String.raw`\bUint8Array\.from\(`,
    String.raw`\bnew Uint8Array\(\s*(?:bytes|records|batch|frame|chunk|payload|body)\s*\)`,
    String.raw`${bytes}\.slice\(`,
    String.raw`\.(?:copy|copyWithin)\(`,
    String.raw`\.set\([^()]*\.subarray\(`,
    String.raw`\bstructuredClone\(`,
  ].join('|'),
)

/** Text that may not stand in code, and what to write instead. Comments and strings do not count. */
const bans: readonly Ban[] = [
  {
    places: ['src', 'sim'],
    but: shell,
    text: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bhrtime\b/,
    instead: 'env.clock.now() or .monotonic()',
  },
  {
    places: ['src', 'sim'],
    but: shell,
    text: /\bset(?:Timeout|Interval|Immediate)\b|\bnextTick\b/,
    instead: 'env.clock.after, .every or .soon',
  },
  {
    places: ['src'],
    but: shell,
    text: /\bqueueMicrotask\b/,
    instead: 'env.clock.soon',
  },
  {
    places: ['src', 'sim'],
    but: shell,
    text: /\bMath\.random\b|\brandom(?:UUID|Bytes|Int|FillSync)\b|\bgetRandomValues\b/,
    instead: 'env.random, or a seeded Prng',
  },
  {
    places: ['src', 'sim'],
    // What the process tells of itself for `/metrics`, asked for by run.ts.
    but: [...shell, 'src/broker/process-numbers.ts'],
    text: /\bprocess\s*\.|\bprocess\[/,
    instead: 'an argument given by main.ts',
  },
  {
    places: ['src', 'sim'],
    but: [
      'src/broker/run.ts',
      'src/broker/many/run-many.ts',
      'src/operator/run.ts',
      'src/broker/check.ts',
      'src/broker/termination-log.ts',
      'src/cli/main.ts',
      'src/cli/kubectl/main.ts',
    ],
    text: /\bconsole\s*\./,
    instead: 'the logger',
  },
  {
    places: [
      'src/broker/partition/replica',
      'src/broker/cluster/controller',
      'src/broker/coordinator/groups',
      'src/broker/handlers/fetch/sessions',
      'src/broker/identity/admission.ts',
      'src/broker/throttle',
      'src/broker/wire/sasl',
      'src/operator/desired',
      'src/operator/moves',
      'src/operator/plan',
      'src/operator/status',
    ],
    text: /\basync\s|\bawait\s|\bPromise\b/,
    instead: 'an effect, and the event that answers it',
  },
  {
    places: ['src/broker/handlers', 'src/broker/partition', 'src/broker/log/append'],
    text: /\breadBatchHeader\b/,
    instead: 'the header that validateBatch gave: a batch is parsed once on its way in',
  },
  {
    places: recordWay,
    but: Object.keys(mayCopy),
    text: copying,
    instead: 'subarray, a FileRange, or (text) substring; a permitted copy is named in mayCopy',
  },
]

/** Marks that may not stay, in comments least of all. */
const unfinished = /\b(?:FIXME|TODO|XXX|HACK)\b/

/**
 * Words of a switch that only a test turns. What a test needs to be otherwise it gives from outside: a twin of a
 * port, or a function or an object in a constructor (test/crash/planted-bugs.ts, sim/poisoned-network.ts).
 */
const testSwitch =
  /sabotage|planted.?bug|poison|for-?tests?\b|test.?builds?\b|\bNODE_ENV\b|\bVITEST\b/i

/** How vitest awaits a condition: for a second, which is not long on a loaded machine, and without what it saw last. */
const impatience = /\bexpect\s*\.poll\b|\bvi\s*\.wait(?:For|Until)\b/

/** One line for each place where a test gives up by chance. */
export function impatientTests(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => isTest(path))
    .flatMap(({ path, text }) => {
      const use = impatience.exec(codeOf(text))
      const instead = 'use eventually of test/helpers/eventually.ts'
      return use
        ? [`${path}:${lineAt(text, use.index)}: ${use[0]} waits for a second; ${instead}`]
        : []
    })
}

/** One line for each word, in code, comments and paths, by which the product would know that it is being tested. */
export function testSwitches(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, text }) =>
    [path, ...text.split('\n')].flatMap((line, at) => {
      const word = testSwitch.exec(line)
      return word
        ? [`${path}:${at}: ${word[0]} is a test's word; let the test give what differs`]
        : []
    }),
  )
}

/** One line for each use of what is banned in the place where it stands. */
export function bannedUses(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => !isTest(path))
    .flatMap(source => {
      const inForce = bans.filter(ban => applies(ban, source.path))
      if (inForce.length === 0) return []
      const code = codeOf(source.text)
      return inForce.flatMap(({ text, instead }) =>
        [...code.matchAll(new RegExp(text, 'g'))].map(
          use =>
            `${source.path}:${lineAt(code, use.index)}: ${use[0].trim()} is banned here; use ${instead}`,
        ),
      )
    })
}

function applies({ places, but = [] }: Ban, path: string): boolean {
  return places.some(place => isUnder(path, place)) && !but.some(place => isUnder(path, place))
}

/** One line for each mark that says the work is not done: that is an issue, not a comment. */
export function unfinishedMarks(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, at) => {
      const mark = unfinished.exec(line)
      return mark ? [`${path}:${at + 1}: ${mark[0]} belongs in an issue`] : []
    }),
  )
}
