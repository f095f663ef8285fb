import { describe, expect, test } from 'vitest'
import { operatorHelp, readArguments } from './arguments.ts'

describe('arguments of the operator', () => {
  test('win over the environment, which wins over what is the case by itself', () => {
    const environment = { LOG_LEVEL: 'debug', WATCH_NAMESPACES: 'a', POD_NAMESPACE: 'ops' }
    const read = readArguments(['--watch-namespaces', 'x, y,'], environment)
    expect(read).toMatchObject({
      watchNamespaces: ['x', 'y'],
      logLevel: 'debug',
      leaseNamespace: 'ops',
      leaseName: 'logcluster-operator',
      httpHost: '0.0.0.0',
      httpPort: 8080,
      kubeconfig: null,
    })
  })

  test('take an empty variable for none', () => {
    expect(readArguments([], { LOG_LEVEL: '', WATCH_NAMESPACES: '' })).toMatchObject({
      logLevel: 'info',
      watchNamespaces: [],
    })
  })

  test('know addresses of both kinds', () => {
    const read = (address: string) => readArguments(['--http-address', address], {})
    expect(read('[::]:9090')).toMatchObject({ httpHost: '::', httpPort: 9090 })
    for (const address of ['8080', 'host:', 'host:99999', '::1:80']) {
      expect(() => read(address)).toThrow('is no HOST:PORT')
    }
  })

  test('that are none are refused with what to do', () => {
    expect(() => readArguments(['--wach-namespaces', 'x'], {})).toThrow(
      '--help lists what there is',
    )
    expect(() => readArguments(['--log-level', 'loud'], {})).toThrow('fatal, error, warn')
  })

  test('are told by --help', () => {
    expect(readArguments(['--help'], {})).toBe('help')
    expect(operatorHelp).toContain('[$WATCH_NAMESPACES]')
  })
})
