/** Tests whose failure under a broker that dies says nothing of brokers, of whatever make. */
interface Explained {
  /** Of the plan. */
  readonly ids: readonly string[]
  /** What the runner says then; any other failure is ours to explain. */
  readonly failure: RegExp
  readonly why: string
}

const explained: readonly Explained[] = [
  {
    ids: ['0038', '0041'],
    failure: /consume_msgs: .*: \d+ failures/,
    why: 'its producer is not idempotent, and sends again what was appended when its leader died before it could answer: the test wants each record once',
  },
  {
    ids: ['0054'],
    failure: /Broker handle destroyed without termination/,
    why: '`rd_kafka_offsets_for_times` gives up a request that waits for a broker which the metadata no longer list (`_DESTROY_BROKER`); only after `_TRANSPORT` it asks again (`src/rdkafka.c:5721`)',
  },
  {
    ids: ['0081 ListOffsets'],
    failure: /Expected offset -?\d+, got -1001/,
    why: '`rd_kafka_ListOffsets` asks each leader by a request of its own; where one of these breaks, the partitions of it are handed out with offset -1001 and no error (`src/rdkafka_admin.c:4163`)',
  },
  {
    ids: ['0081 ListOffsets'],
    failure: /Failed to delete topics: Local: Broker transport failure/,
    why: "the broker that is killed is the one that was asked to delete the test's topic: the library does not send a request of an administrator again that was on its way",
  },
  {
    ids: ['0090'],
    failure: /First N ProduceRequests should not have failed/,
    why: 'it makes its first Produce requests fail itself, and takes for granted that no other of them does (`tests/0090-idempotence.c:77`)',
  },
]

/** Why the failure was to be expected; null where it was not. */
export function whyExpected(id: string, failure: string): string | null {
  return explained.find(one => one.ids.includes(id) && one.failure.test(failure))?.why ?? null
}
