import {
  createTopics,
  describeTransactions,
  findCoordinator,
  initProducerId,
  metadata,
  offsetFetch,
} from '../../src/broker/wire/messages/index.ts'
import type { Json } from './json.ts'
import { themes } from './scenarios.ts'
import { fenceTopic, pick, type Scenario, Session } from './session.ts'

/** Answers of one scenario, by label, masked. */
export type Answers = Readonly<Record<string, Json>>

/** Runs one scenario against the broker on `port`, or against several. */
export async function askScenario(
  scenario: Scenario,
  port: number | readonly number[],
): Promise<Answers> {
  const session = new Session(scenario.name, port)
  try {
    await scenario.run(session)
    return Object.fromEntries(session.answers)
  } catch (error) {
    throw new Error(`${scenario.name} broke off`, { cause: error })
  } finally {
    session.close()
  }
}

const transactionalIdNotFound = 105

/**
 * Makes what every scenario but those of a new broker counts on, if it is not there: the fence, and coordinators that
 * have loaded.
 */
export async function prepare(port: number): Promise<void> {
  const session = new Session('prepare', port)
  try {
    const body = { topics: [{ name: fenceTopic }], allowAutoTopicCreation: false }
    const found = await session.request(metadata, 12, body)
    if (pick(found, 'topics', 0, 'errorCode') === 0) return
    const topics = [{ name: fenceTopic, numPartitions: 1, replicationFactor: 1 }]
    await session.request(createTopics, 7, { topics, timeoutMs: 30_000 })
    await session.served(fenceTopic, 1)
    await session.until('every coordinator of groups has loaded', async () => {
      const groups = Array.from({ length: 200 }, (_, at) => ({ groupId: `g${at}`, topics: null }))
      await session.request(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
      const answer = await session.request(offsetFetch, 8, { groups })
      return groups.every((_, at) => pick(answer, 'groups', at, 'errorCode') === 0)
    })
    await session.until('producer ids are given', async () => {
      const answer = await session.request(initProducerId, 4, { transactionalId: null })
      return pick(answer, 'errorCode') === 0
    })
    await session.until('every coordinator of transactions has loaded', async () => {
      const transactionalIds = Array.from({ length: 50 }, (_, at) => `t${at}`)
      await session.request(findCoordinator, 4, { keyType: 1, coordinatorKeys: ['t'] })
      const answer = await session.request(describeTransactions, 0, { transactionalIds })
      return transactionalIds.every((_, at) => {
        return pick(answer, 'transactionStates', at, 'errorCode') === transactionalIdNotFound
      })
    })
    await session.settle()
  } finally {
    session.close()
  }
}

/** Asks a broker everything of some themes, in order, and tells each scenario's answers when they are there. */
export async function askThemes(
  chosen: readonly string[],
  port: number,
  told: (theme: string, scenario: string, answers: Answers) => void,
): Promise<void> {
  for (const theme of chosen) {
    if (theme !== 'fresh') await prepare(port)
    for (const scenario of themes[theme]!) {
      told(theme, scenario.name, await askScenario(scenario, port))
    }
  }
}
