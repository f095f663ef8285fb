import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Connection, OutPart } from '../../env/network.ts'
import { Prng } from '../../lib/prng.ts'
import { nativeForTests } from '../../../test/helpers/native.ts'

const { disk, network } = nativeForTests().native
const folder = mkdtempSync(join(tmpdir(), 'native-message-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('a message of more parts, and more small bytes, than one call takes leaves in order', async () => {
  const content = new Prng(3).bytes(4096)
  const file = disk.open(join(folder, 'segment'), 'create')
  file.write(0, [content])
  const stream = network.openStream()
  const random = new Prng(5)
  const sent: Uint8Array[] = []
  const parts = Array.from({ length: 1000 }, (_, at): OutPart => {
    const isRange = at % 3 === 2
    const bytes = random.bytes(random.below(2) === 0 ? random.below(600) : 3000)
    sent.push(isRange ? content.subarray(at, at + at) : bytes)
    return isRange ? { file, position: at, length: at, cold: at % 2 === 0, stream } : bytes
  })
  const accepted = Promise.withResolvers<Connection>()
  const limits = { frameSizeMax: 1000, requestMemoryMax: 2 ** 20 }
  const listener = await network.listen(
    { host: '127.0.0.1', port: 0, ...limits },
    {
      acceptFailed: code => accepted.reject(new Error(code)),
      accepted(connection) {
        accepted.resolve(connection)
        return { frames: () => {}, drained: () => {}, closed: () => {} }
      },
    },
  )
  const socket = connect({ host: listener.host, port: listener.port })
  const connection = await accepted.promise
  connection.send(parts)
  connection.end()
  const came: Buffer[] = []
  for await (const some of socket) came.push(some as Buffer)
  expect(Buffer.concat(came).equals(Buffer.concat(sent))).toBe(true)
  await listener.close()
  stream.close()
  file.close()
})
