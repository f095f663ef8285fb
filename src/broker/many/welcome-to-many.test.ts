import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { commandLine } from './command-line.ts'
import { welcomeToMany } from './welcome-to-many.ts'

test.each([
  ['/opt/logcluster/dist/src/broker/many/x.js', 'logcluster'],
  ['/app/node_modules/logcluster/dist/src/broker/many/x.js', 'npx logcluster'],
  ['/home/me/logcluster/src/broker/many/x.ts', 'npm run -s logcluster --'],
])('the command of %s is %s', (file, line) => {
  expect(commandLine(file)).toBe(line)
})

test('the line that the welcome tells can be typed in a checkout that was never built', async () => {
  const broker = { listeners: ['127.0.0.1:1'], http: null, pid: 1 }
  const line = /^ {2}status +(.*)$/m.exec(welcomeToMany([broker], '/metadata'))![1]!
  const cwd = join(import.meta.dirname, '../../..')
  const asked = promisify(execFile)('sh', ['-c', `${line} --help`], { cwd })
  expect((await asked).stdout).toMatch(/^Usage: logcluster status/)
})
