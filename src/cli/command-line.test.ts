import { describe, expect, test } from 'vitest'
import { helpText, readCommandLine } from './command-line.ts'

const commands = [
  { name: 'broker', summary: 'runs a broker' },
  { name: 'operator', summary: 'runs the operator' },
]

describe('a command line', () => {
  test('gives a command all that stands after it, untouched', () => {
    expect(readCommandLine(['broker', '--config', 'a', '--help'], commands)).toEqual({
      kind: 'command',
      name: 'broker',
      args: ['--config', 'a', '--help'],
    })
  })

  test.each([[[]], [['help']], [['--help']], [['-h']]])('asks for help by %j', args => {
    expect(readCommandLine(args, commands)).toEqual({ kind: 'help' })
  })

  test.each([['version'], ['--version'], ['-v']])('asks for the version by %s', word => {
    expect(readCommandLine([word], commands)).toEqual({ kind: 'version' })
  })

  test('names the command that was meant', () => {
    expect(readCommandLine(['opertor'], commands)).toEqual({
      kind: 'refused',
      problem: 'opertor is no command of logcluster: did you mean operator?',
    })
  })

  test('names all that there are where nothing is near', () => {
    expect(readCommandLine(['--config'], commands)).toEqual({
      kind: 'refused',
      problem: '--config is no command of logcluster: there are broker, operator, version, help',
    })
  })
})

test('the help has a line for each command', () => {
  const text = helpText(commands)
  expect(text).toContain('  broker    runs a broker\n')
  expect(text).toContain('  version   prints the version\n')
})
