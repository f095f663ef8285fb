import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { withBroker } from './helpers/broker.ts'
import { run } from './helpers/run.ts'

const root = join(import.meta.dirname, '..')
const stage = join(root, '.cache', `package-${process.pid}`)
const installed = join(stage, 'installed/node_modules/logcluster')
const isNative = process.env['LOGCLUSTER_NATIVE'] !== 'off'

/**
 * Packs the package out of a copy, so that a real `dist/` stays as it is, and lays it under a `node_modules`, where
 * Node strips no types. What it depends on is linked and not fetched: these tests need no network.
 */
beforeAll(async () => {
  mkdirSync(installed, { recursive: true })
  for (const name of ['package.json', 'native', 'tools/build-native.mjs']) {
    cpSync(join(root, name), join(stage, name), { recursive: true })
  }
  rmSync(join(stage, 'native/build'), { recursive: true, force: true })
  await run(process.execPath, [join(root, 'tools/build.ts'), join(stage, 'dist')])
  const packing = ['pack', '--ignore-scripts', '--pack-destination', stage]
  await run('npm', packing, { cwd: stage })
  const file = join(stage, `logcluster-${packageJson(stage).version}.tgz`)
  await run('tar', ['-xzf', file, '--strip-components=1', '-C', installed])
  symlinkSync(join(root, 'node_modules'), join(stage, 'node_modules'))
  await run('npm', ['run', 'install'], { cwd: installed })
})

afterAll(() => rmSync(stage, { recursive: true, force: true }))

interface PackageJson {
  readonly version: string
  readonly bin: Readonly<Record<string, string>>
}

function packageJson(folder: string): PackageJson {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageJson
}

function bin(name: string): string {
  return join(installed, packageJson(installed).bin[name]!)
}

test('the package has plain JavaScript, the sources of the addon, and nothing else', async () => {
  const { stdout } = await run('find', ['.', '-type', 'f'], { cwd: installed })
  const files = stdout.trim().split('\n')
  expect(files.length).toBeGreaterThan(100)
  const expected =
    /^\.\/(?:dist\/src\/.*\.js|native\/[\w-]+\.[ch]|native\/build\/logcluster\.node|tools\/build-native\.mjs|package\.json|README\.md)$/
  expect(files.filter(file => !expected.test(file))).toEqual([])
})

test('installed, it has the version of its package.json', async () => {
  const { stdout } = await run(process.execPath, [bin('logcluster'), 'version'])
  expect(stdout).toBe(`logcluster ${packageJson(root).version}\n`)
})

test('installed, it runs a broker, with the addon that its install script built', async () => {
  await withBroker({ main: bin('logcluster'), words: ['broker'] }, async broker => {
    expect((await fetch(`http://${broker.http}/readyz`)).status).toBe(200)
    const isBuilt = existsSync(join(installed, 'native/build/logcluster.node'))
    expect(broker.output).toContain(`"dataPath":"${isNative && isBuilt ? 'native' : 'node'}"`)
    await broker.stop()
  })
})

test('a command that there is not ends with 64 and names the nearest', async () => {
  const ended = await run(process.execPath, [bin('logcluster'), 'brocker'], { anyStatus: true })
  expect(ended.status).toBe(64)
  expect(ended.stderr).toBe('brocker is no command of logcluster: did you mean broker?\n')
})
