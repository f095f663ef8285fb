/** What stands behind one script of package.json. */
export interface Program {
  readonly file: string
  /** One line for the list of names. */
  readonly what: string
}

/** By script, then by the name that chooses the program: `npm run bench -- limits`. */
export const programs: Readonly<Record<string, Readonly<Record<string, Program>>>> = {
  bench: {
    limits: {
      file: 'bench/limits.ts',
      what: 'what this machine could do at most, beside what we do: [MiB sent a run]',
    },
    'versus-kafka': {
      file: 'bench/versus-kafka.ts',
      what: 'beside Apache Kafka, in turns: [SCENARIO ...] [ROUNDS] (Java; root for the throttled disk)',
    },
    'wake-ups': {
      file: 'bench/wake-ups.ts',
      what: 'what event loop and threads say to one another a cold range (strace)',
    },
    codec: { file: 'bench/codec.ts', what: 'nanoseconds a message' },
    restart: {
      file: 'bench/restart.ts',
      what: 'how long a large segment takes to open after kill -9',
    },
    commits: {
      file: 'bench/commits.ts',
      what: 'how long groups with ten million commits take to be there after kill -9',
    },
    tail: {
      file: 'bench/tail.ts',
      what: 'who holds up the records that come late, and how often',
    },
    partitions: {
      file: 'bench/partitions.ts',
      what: 'what 10,000 partitions cost: starts, stops, memory',
    },
  },
  qualify: {
    faults: {
      file: 'test/faults/main.ts',
      what: 'kills, crash points, planted bugs, power loss (root); what runs where no name is given',
    },
    states: {
      file: 'test/model/main.ts',
      what: 'every state of controller and replicas on a small model: [STATES]',
    },
    'five-minutes': {
      file: 'test/five-minutes/main.ts',
      what: 'three brokers, one killed and one stopped, under a producer and a group',
    },
    chaos: {
      file: 'test/chaos/main.ts',
      what: 'three and five brokers under every kind of fault, processes, networks, disk, store (root, etcd)',
    },
    failover: {
      file: 'bench/failover.ts',
      what: 'how long nobody can write while brokers of three are killed, again and again: p50, p99 (librdkafka)',
    },
    outage: {
      file: 'test/outage/main.ts',
      what: 'three brokers without their metadata store for five minutes, under producers: --store files|etcd',
    },
    fuzz: { file: 'test/stress/fuzz-main.ts', what: 'damaged frames of every API and version' },
    overload: { file: 'test/stress/overload-main.ts', what: 'a broker in 512 MiB (root)' },
    scenarios: {
      file: 'test/scenarios/run.ts',
      what: "other people's clients: docs/clients.md; --brokers 3: docs/clients-of-three.md",
    },
    tools: {
      file: 'test/tools/main.ts',
      what: 'tools around Kafka, job by job: docs/tools.md (Java)',
    },
    librdkafka: {
      file: 'test/librdkafka/run.ts',
      what: "librdkafka's own tests: docs/librdkafka.md",
    },
    'node-rdkafka': {
      file: 'test/node-rdkafka/run.ts',
      what: "node-rdkafka's own tests: docs/node-rdkafka.md",
    },
    differential: {
      file: 'test/differential/record.ts',
      what: 'asks Apache Kafka anew what the differential suite replays; --live: beside us (Java)',
    },
    planted: {
      file: 'test/planted/main.ts',
      what: 'mistakes that are planted one at a time, and what finds them: [NAME ...]',
    },
    simulate: {
      file: 'test/simulation/main.ts',
      what: 'clusters under virtual time: --seed N repeats one, --seeds A-B runs many; --one-away',
    },
    'main-job': { file: 'test/main-job/main.ts', what: 'produce, consume and kill, on real input' },
  },
}

/** Chosen where a script is given no name. */
const byDefault: Readonly<Record<string, string>> = { qualify: 'faults' }

export type Choice =
  | { readonly file: string; readonly args: readonly string[] }
  | { readonly problem: string }

/** The program that `args` name first, and the arguments that are its own; else what to say to who typed them. */
export function choose(script: string, args: readonly string[]): Choice {
  const table = programs[script]
  if (table === undefined) {
    return { problem: `No script ${script}; there are ${Object.keys(programs).join(' and ')}.` }
  }
  const [first] = args
  const isNamed = first !== undefined && !first.startsWith('-')
  const name = isNamed ? first : byDefault[script]
  const program = name === undefined || !Object.hasOwn(table, name) ? undefined : table[name]
  if (program === undefined) {
    return {
      problem: `${isNamed ? `There is no ${first}.` : 'Which one?'}\n${list(script, table)}`,
    }
  }
  return { file: program.file, args: isNamed ? args.slice(1) : args }
}

function list(script: string, table: Readonly<Record<string, Program>>): string {
  const width = Math.max(...Object.keys(table).map(name => name.length))
  const rows = Object.entries(table).map(([name, { what }]) => `  ${name.padEnd(width)}  ${what}`)
  return [`Usage: npm run ${script} -- NAME [its arguments]`, ...rows].join('\n')
}
