import { describe, expect, test } from 'vitest'
import type { LogClusterSpecInput } from '../../src/operator/crd/cluster.ts'
import type { Pod, Service } from '../../src/operator/kubernetes/objects.ts'
import { created, minimal, World } from './world.ts'

type Listener = NonNullable<LogClusterSpecInput['listeners']>[number]

function three(...listeners: Listener[]): LogClusterSpecInput {
  const [pool] = minimal.pools
  return { ...minimal, listeners, pools: [{ ...pool!, brokers: 3 }] }
}

const at = (port: number, type: 'Internal' | 'ClusterIP' | 'NodePort', name = 'internal') => ({
  name,
  port,
  expose: { type },
})

/** Service and port of every address that a broker tells clients, and nobody could reach it by. */
function unreachable(world: World): string[] {
  return world.api.all<Pod>('Pod').flatMap(({ metadata, spec }) => {
    const container = spec!.containers.find(({ name }) => name === 'broker')
    const told = container?.env?.find(({ name }) => name === 'LOGCLUSTER_ADVERTISED_LISTENERS')
    const texts = told?.value?.split(',') ?? []
    return texts.flatMap(text => {
      const [, host, port] = /^[A-Z]+:\/\/([^:]+):(\d+)$/.exec(text)!
      const services = world.api.all<Service>('Service').filter(each => {
        const isAtNode = host === '$(HOST_IP)' && each.spec!.selector!['logcluster.dev/broker']
        return isAtNode
          ? each.spec!.type === 'NodePort' && `${isAtNode}-0` === metadata.name
          : host!.startsWith(`${each.metadata.name}.`)
      })
      const isPod = host!.startsWith(`${metadata.name}.`)
      const number = isPod ? Number(port) : targetOf(services, Number(port), host!)
      const hits = container!.ports!.filter(
        ({ name, containerPort }) => number === name || number === containerPort,
      )
      return hits.length === 1 ? [] : [`${metadata.name} ${text}`]
    })
  })
}

function targetOf(services: readonly Service[], port: number, host: string): unknown {
  const ports = services.flatMap(({ spec }) => spec!.ports!)
  return ports.find(each => (host === '$(HOST_IP)' ? each.nodePort : each.port) === port)
    ?.targetPort
}

/** Which pods the bootstrap Service has behind it, by port. */
function behindBootstrap(world: World): Record<number, string[]> {
  const pods = world.api
    .all<Pod>('Pod')
    .filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === 'broker')
  const { ports } = world.get<Service>('Service', 'orders-bootstrap').spec!
  return Object.fromEntries(
    ports!.map(({ port, targetPort }) => [
      port,
      pods
        .filter(({ spec }) =>
          spec!.containers[0]!.ports!.some(
            ({ name, containerPort }) => targetPort === name || targetPort === containerPort,
          ),
        )
        .map(({ metadata }) => metadata.name),
    ]),
  )
}

function listensAt(world: World, port: number): boolean {
  const pods = world.api.all<Pod>('Pod')
  return pods.some(({ spec }) =>
    spec!.containers[0]!.ports?.some(({ containerPort }) => containerPort === port),
  )
}

const servicesOf = (world: World): string[] =>
  world.api.all<Service>('Service').map(({ metadata }) => metadata.name)

const portsOf = (world: World, name: string): unknown =>
  world.get<Service>('Service', name).spec?.ports?.map(({ name, port }) => `${name} ${port}`)

describe('a listener that changes', () => {
  const changes: [string, Listener, Listener][] = [
    ['to Internal', at(9092, 'ClusterIP'), at(9092, 'Internal')],
    ['its name', at(9092, 'ClusterIP'), at(9092, 'ClusterIP', 'clients')],
    ['its port', at(9092, 'ClusterIP'), at(9192, 'ClusterIP')],
    ['name and port', at(9092, 'ClusterIP'), at(9192, 'ClusterIP', 'clients')],
    ['from NodePort to ClusterIP', at(9092, 'NodePort'), at(9092, 'ClusterIP')],
    ['from NodePort to Internal', at(9092, 'NodePort'), at(9092, 'Internal')],
    ['from ClusterIP to NodePort', at(9092, 'ClusterIP'), at(9092, 'NodePort')],
  ]
  test.each(changes)(
    '(%s) is where clients were told until each broker had its turn',
    async (_, before, after) => {
      const world = await withPorts(three(before))
      const lost = new Set<string>()
      world.onRound = () => {
        for (const each of unreachable(world)) lost.add(each)
        if (listensAt(world, 9092) && !behindBootstrap(world)[9092]?.length) lost.add('bootstrap')
      }
      world.onRound()
      world.apply(three(after))
      await world.converge()
      expect([...lost]).toEqual([])
      expect(world.nodes.starts).toHaveLength(6)
      expect(world.condition('Stable')).toBe('True Stable')
      // And nothing of it is left.
      const fresh = await withPorts(three(after))
      expect(servicesOf(world).toSorted()).toEqual(servicesOf(fresh).toSorted())
      for (const name of servicesOf(fresh))
        expect(portsOf(world, name)).toEqual(portsOf(fresh, name))
    },
  )

  test('stays where it was told for as long as the check of what is new fails', async () => {
    const world = await withPorts(three(at(9092, 'ClusterIP')))
    world.nodes.check = { kind: 'fails', message: 'no' }
    world.apply(three(at(9192, 'ClusterIP', 'clients')))
    await world.converge()
    expect(unreachable(world)).toEqual([])
    expect(behindBootstrap(world)[9092]).toHaveLength(3)
    expect(servicesOf(world)).toContain('orders-main-0-internal')
    expect(portsOf(world, 'orders-bootstrap')).toEqual(['internal-9092 9092', 'clients 9192'])
    // And a pod that was evicted meanwhile tells what it told before.
    world.api.remove('Pod', { namespace: 'streaming', name: 'orders-main-0-0' })
    await world.pass()
    expect(servicesOf(world)).toContain('orders-main-0-internal')
  })

  test('is at both numbers for brokers of before and after', async () => {
    const world = await withPorts(three(at(9092, 'ClusterIP')))
    world.apply(three(at(9192, 'ClusterIP')))
    await world.pass()
    const all = ['orders-main-0-0', 'orders-main-1-0', 'orders-main-2-0']
    expect(behindBootstrap(world)).toEqual({ 9092: all, 9192: all })
  })

  test('and stands before others is applied once, where the API server leaves ports in their order', async () => {
    const others = [at(9094, 'Internal', 'b'), at(9095, 'Internal', 'c')]
    const world = await withPorts(three(at(9092, 'ClusterIP'), ...others))
    let known = world.api.all<Service>('Service')
    const inOrder = (service: Service): void => {
      const { spec, metadata } = service
      const before = known.find(each => each.metadata.name === metadata.name)?.spec?.ports ?? []
      const numbers = before.map(({ port }) => port)
      const rank = (port: number): number => (numbers.includes(port) ? numbers.indexOf(port) : 9)
      const ports = spec!.ports!.toSorted((a, b) => rank(a.port) - rank(b.port))
      world.api.put({ ...service, spec: { ...spec, ports } } as Service)
    }
    world.onRound = () => {
      for (const service of world.api.all<Service>('Service')) inOrder(service)
      known = world.api.all<Service>('Service')
    }
    world.apply(three(at(9192, 'ClusterIP'), ...others))
    await world.converge()
    expect(portsOf(world, 'orders-bootstrap')).toEqual(['b 9094', 'c 9095', 'internal 9192'])
    expect(world.condition('Stable')).toBe('True Stable')
  })
})

test('where clients begin is as many whole addresses as there is room for, however many nodes have a broker', async () => {
  const world = new World()
  world.nodes.nodePort = 30_992
  world.nodes.addressOf = ({ metadata: { name } }) =>
    `fd00:1234:5678:9abc:def0:1234:5678:${1000 + Number(/(\d+)-0$/.exec(name)![1])}`
  const [pool] = minimal.pools
  world.apply({ ...minimal, listeners: [at(9092, 'NodePort')], pools: [{ ...pool!, brokers: 14 }] })
  await world.converge()
  expect(world.condition('Stable')).toBe('True Stable')
  const hosts = world.cluster.status.listeners![0]!.bootstrap.split(',')
  expect(hosts).toHaveLength(10)
  expect(hosts.at(-1)).toBe('[fd00:1234:5678:9abc:def0:1234:5678:1009]:30992')
})

async function withPorts(spec: LogClusterSpecInput): Promise<World> {
  const world = await created({ ...spec, listeners: [at(9092, 'Internal')] })
  world.nodes.nodePort = 30_992
  world.apply(spec)
  await world.converge()
  world.nodes.starts.length = 3
  return world
}
