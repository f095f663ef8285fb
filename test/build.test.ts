import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { withBroker } from './helpers/broker.ts'
import { run } from './helpers/run.ts'

const root = join(import.meta.dirname, '..')
/** Inside the checkout, where `node_modules` is found, and out of the way of a real `dist/`. */
const out = join(root, '.cache', `build-${process.pid}`)

afterAll(() => rmSync(out, { recursive: true, force: true }))

test('npm run build emits plain JavaScript that is a whole broker', async () => {
  await run(process.execPath, [join(root, 'tools/build.ts'), out])
  expect(existsSync(join(out, 'src/broker/main.js'))).toBe(true)
  expect(existsSync(join(out, 'src/broker/main.ts'))).toBe(false)
  await withBroker({ main: join(out, 'src/broker/main.js') }, async broker => {
    const ready = await fetch(`http://${broker.http}/readyz`)
    expect(ready.status).toBe(200)
    const addon = join(root, 'native/build/logcluster.node')
    const isNative = process.env['LOGCLUSTER_NATIVE'] !== 'off' && existsSync(addon)
    expect(broker.output).toContain(`"dataPath":"${isNative ? 'native' : 'node'}"`)
    await broker.stop()
  })
})
