import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import type { MemberProgram } from '../clients/group-of-three.ts'
import { eventually } from '../helpers/eventually.ts'
import type { Client } from './clients.ts'
import { DriverProcess, NotApplicable } from './driver-process.ts'
import type { PlacedRecord, TextRecord } from './drivers/serve.ts'
import type { Ground, Witness } from './ground.ts'

/** What a scenario has: brokers, one client, a name for its topic, and our own client as a witness. */
export class Stage {
  readonly ground: Ground
  readonly client: Client
  readonly topic: string
  /** For whatever its drivers are told by files. */
  readonly folder = mkdtempSync(join(tmpdir(), 'logcluster-scenario-'))
  /** What the table shall say beside a pass. */
  readonly remarks: string[] = []
  #wire: Witness
  readonly #drivers: DriverProcess[] = []
  readonly #scenario: string
  #first: DriverProcess | undefined

  static async open(ground: Ground, client: Client, scenario: string): Promise<Stage> {
    return new Stage(ground, client, scenario, await ground.connect())
  }

  private constructor(ground: Ground, client: Client, scenario: string, wire: Witness) {
    this.ground = ground
    this.client = client
    this.#scenario = scenario
    this.topic = `${client.name.replaceAll(/[^a-z]+/gi, '-')}.${scenario}`
    this.#wire = wire
  }

  /** The same with another topic, and a driver of its own. */
  sibling(suffix: string): Promise<Stage> {
    return Stage.open(this.ground, this.client, `${this.#scenario}.${suffix}`)
  }

  get wire(): Witness {
    return this.#wire
  }

  /** The driver that does one thing after the other. */
  get driver(): DriverProcess {
    this.#first ??= this.another()
    return this.#first
  }

  /** A further process of the same client, for what happens at the same time. */
  another(): DriverProcess {
    const driver = new DriverProcess(this.client.program, this.ground.address)
    this.#drivers.push(driver)
    return driver
  }

  /** The client as a member of a group. */
  member(instance: string | null = null): MemberProgram {
    const { program, name } = this.client
    return { library: name, ...program, args: instance === null ? [] : [instance] }
  }

  async reconnect(): Promise<void> {
    this.#wire.close()
    this.#wire = await this.ground.connect()
  }

  /** By our own client: most scenarios are about something else. */
  async createTopic(configs: Readonly<Record<string, string>> = {}, partitions = 1): Promise<void> {
    const { topics } = await this.wire.createTopics([{ name: this.topic, partitions, configs }])
    if (topics[0]!.errorCode !== 0) throw new Error(`create: ${topics[0]!.errorMessage}`)
  }

  /** Through the client where it has such a verb, else through ours, which the table then says. */
  async administer(byClient: () => Promise<void>, byUs: () => Promise<unknown>): Promise<void> {
    try {
      await byClient()
    } catch (error) {
      if (!(error instanceof NotApplicable)) throw error
      await byUs()
      this.remarks.push('topic changed by another client')
    }
  }

  /** Goes on without what the library cannot do, which the table then says; throws any other error again. */
  without(error: unknown): void {
    if (!(error instanceof NotApplicable)) throw error
    this.remarks.push(`the library ${error.message}`)
  }

  /** One batch of our own, `count` records with their number as value and `stepMs` apart. */
  async produceBatch(count: number, baseTimestamp = Date.now(), stepMs = 0): Promise<void> {
    const records = Array.from({ length: count }, (_, at) => ({
      key: `key ${at}`,
      value: `value ${at}`,
      timestampDelta: at * stepMs,
    }))
    const batch = encodeBatch({ records, baseTimestamp })
    const { errorCode } = await this.wire.produce({ topic: this.topic, partition: 0 }, batch)
    if (errorCode !== 0) throw new Error(`produce error ${errorCode}`)
  }

  /** From here on, where there are several brokers, the one that leads partition 0 is dead for a while. */
  async middle(): Promise<void> {
    await this.ground.middle({ is: 'leader', topic: this.topic, partition: 0 })
  }

  /** As `middle`, but for the one that coordinates the group. */
  async middleOf(group: string): Promise<void> {
    await this.ground.middle({ is: 'coordinator', group })
  }

  async endOffset(partition = 0): Promise<number> {
    return (await this.wire.listOffset({ topic: this.topic, partition }, -1)).offset
  }

  /** Through the client: produces into partition 0. */
  async produce(
    records: readonly TextRecord[],
    { codec = 'none', acks = 'all' as '0' | '1' | 'all' } = {},
  ): Promise<void> {
    await this.driver.call('produce', { topic: this.topic, partition: 0, records, codec, acks })
  }

  consume(offset: number, count: number): Promise<PlacedRecord[]> {
    return this.driver.call('consume', { topic: this.topic, partition: 0, offset, count })
  }

  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    await eventually(what, holds)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#wire.close()
    for (const driver of this.#drivers) await driver.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
