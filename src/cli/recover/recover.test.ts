import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { InProcessBroker } from '../../../test/helpers/in-process.ts'
import { passwords, startPrivate } from '../../../test/helpers/private-broker.ts'
import { exitCodes } from '../../lib/exit-codes.ts'
import { runRecover } from './recover.ts'
import { readWish } from './wish.ts'

const other = '8Jb3kPz1QmSx5rT0vW2yAg'

describe('a wish', () => {
  const rest = ['--at', '127.0.0.1:9', '--credentials=/secret']

  test('names the partitions that are given up', () => {
    const args = ['retire-directory', other, '--accept-data-loss=orders-3,of-two-0', ...rest]
    expect(readWish(args)).toEqual({
      action: {
        kind: 'retire-directory',
        directoryId: other,
        accepted: [
          { topic: 'orders', index: 3 },
          { topic: 'of-two', index: 0 },
        ],
      },
      at: '127.0.0.1:9',
      credentials: '/secret',
    })
  })

  test.each([
    [[], 'is no action'],
    [['retire', ...rest], 'retire is no action'],
    [['retire-directory', ...rest], 'needs the id'],
    [['retire-directory', 'short', ...rest], 'needs the id'],
    [['retire-directory', other, '--accept-data-loss', 'all', ...rest], 'all is no partition'],
    [['end-quarantine', 'now', ...rest], 'nothing after it'],
    [['end-quarantine', '--accept-data-loss', 'a-0', ...rest], 'retire-directory alone'],
    [['end-quarantine', '--at'], '--at needs a value'],
    [['end-quarantine', '--credentials', '/secret'], '--at is needed'],
    [['end-quarantine', '--at', 'h:1'], '--credentials is needed'],
    [['end-quarantine', '--at', 'h:1,h', '--credentials', '/secret'], "'h' is not host:port"],
    [['end-quarantine', '--force'], '--force is no option'],
  ])('%j is refused with a sentence', (args, problem) => {
    expect(readWish(args)).toEqual(expect.stringContaining(problem))
  })
})

test('partitions that are given up stand in a file too, one a line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'logcluster-recover-'))
  const file = join(folder, 'names')
  writeFileSync(file, 'orders-3\nof-two-0\n')
  const rest = ['--at', 'h:1', '--credentials', '/secret']
  const wish = readWish(['retire-directory', other, `--accept-data-loss=@${file}`, ...rest])
  rmSync(folder, { recursive: true })
  expect(wish).toMatchObject({
    action: {
      accepted: [
        { topic: 'orders', index: 3 },
        { topic: 'of-two', index: 0 },
      ],
    },
  })
  expect(readWish(['retire-directory', other, `--accept-data-loss=@${file}`, ...rest])).toContain(
    'ENOENT',
  )
})

describe('the controller', () => {
  let folder: string
  let broker: InProcessBroker

  beforeEach(async () => {
    broker = await startPrivate({ metadataDir: '/metadata' })
    folder = mkdtempSync(join(tmpdir(), 'logcluster-recover-'))
    writeFileSync(join(folder, 'broker'), passwords.broker)
  })

  afterEach(async () => {
    await broker[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  async function recover(...args: string[]) {
    const lines: string[] = []
    const say = (text: string): void => void lines.push(text)
    const { host, port } = broker.broker.privateListener!
    const at = `127.0.0.1:1,${host}:${port}`
    const all = [...args, '--at', at, '--credentials', folder]
    return { code: await runRecover(all, { out: say, err: say }), said: lines.join('\n') }
  }

  test('retires a directory, and is found among those that are not it', async () => {
    const { code, said } = await recover('retire-directory', other)
    expect(said).toContain(`Directory ${other} is retired`)
    expect(code).toBe(exitCodes.done)
  })

  test('refuses what would lose data, in its own words', async () => {
    const { directoryId } = broker.broker.status
    const { code, said } = await recover('retire-directory', directoryId)
    expect(said).toMatch(/is that of broker \d+, which runs. Stop it first/)
    expect(code).toBe(exitCodes.failed)
  })

  test('is not asked about a topic that is not there', async () => {
    const args = ['retire-directory', other, '--accept-data-loss', 'orders-0'] as const
    expect(await recover(...args)).toEqual({
      code: exitCodes.failed,
      said: 'There is no topic orders.',
    })
  })

  test('ends a quarantine, also where there is none', async () => {
    expect((await recover('end-quarantine')).code).toBe(exitCodes.done)
  })

  test('hears nobody without the password of the brokers', async () => {
    writeFileSync(join(folder, 'broker'), 'another')
    const { code, said } = await recover('end-quarantine')
    expect(said).toContain('Nobody who was asked is the controller')
    expect(code).toBe(exitCodes.failed)
  })
})
