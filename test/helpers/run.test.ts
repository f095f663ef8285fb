import { expect, test } from 'vitest'
import { run } from './run.ts'

test('gives input, and returns what the program said', async () => {
  const result = await run('sh', ['-c', 'cat; echo aside >&2'], { input: 'said' })
  expect(result).toMatchObject({ status: 0, stdout: 'said', stderr: 'aside\n' })
})

test('fails with all that was said where the status is not 0', async () => {
  const failing = ['-c', 'echo out; echo err >&2; exit 3']
  await expect(run('sh', failing)).rejects.toThrow(/ended with 3\nout\n[^]*err/)
  expect((await run('sh', failing, { anyStatus: true })).status).toBe(3)
})

test('kills a program that takes too long', async () => {
  await expect(run('sleep', ['60'], { timeoutMs: 100 })).rejects.toThrow(/killed after 100 ms/)
})

test('fails where there is no such program', async () => {
  await expect(run('/no/such/program', [])).rejects.toThrow(/ENOENT/)
})
