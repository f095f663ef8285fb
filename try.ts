import { realClock } from './src/env/real/clock.ts'
import { realRandom } from './src/env/real/random.ts'
import { kubeconfig } from './src/operator/kubernetes/kubeconfig.ts'
import { Transport } from './src/operator/kubernetes/transport.ts'
import { HttpApi } from './src/operator/kubernetes/http-api.ts'
import { Informer } from './src/operator/kubernetes/informer.ts'
import { resources } from './src/operator/kubernetes/resources.ts'
import { EventRecorder } from './src/operator/kubernetes/event-recorder.ts'
import { Leader } from './src/operator/kubernetes/leader.ts'
const end = new AbortController()
const transport = new Transport({
  source: kubeconfig(process.env['KUBECONFIG']!),
  clock: realClock,
  userAgent: 'x',
})
let n = 0
const api = new HttpApi({
  sender: transport,
  clock: realClock,
  random: realRandom,
  mayWrite: () => true,
  meter: (v, c, s) => {
    n++
    console.log(v, c, s.toFixed(4))
  },
  signal: end.signal,
})
const inf = new Informer({
  api,
  clock: realClock,
  random: realRandom,
  resource: resources.configMaps,
  scope: { labelSelector: 'a=b' },
  indexOf: o => o.metadata.labels?.['c'] ?? null,
  onChange: c => console.log('change', c.before?.metadata.name, c.after?.metadata.name),
  onFailure: r => console.log('FAIL', r),
  signal: end.signal,
})
void inf.run().catch(e => console.log('informer', e))
await inf.synced
const cm = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name, labels: { a: 'b', c: 'd' }, ...more },
  data: { x: String(Math.random()) },
})
const a = await api.apply(resources.configMaps, cm('one'))
console.log(a.metadata)
await api.apply(resources.configMaps, cm('one'))
try {
  await api.apply(resources.configMaps, cm('one', { resourceVersion: a.metadata.resourceVersion }))
} catch (e: any) {
  console.log('expected conflict', e.kind, e.code, e.reason, e.message)
}
try {
  await api.apply(resources.configMaps, cm('two', { uid: a.metadata.uid }))
} catch (e: any) {
  console.log('apply uid nonexistent', e.kind, e.code, e.reason, e.message)
}
try {
  await api.apply(resources.configMaps, cm('two', { resourceVersion: a.metadata.resourceVersion }))
} catch (e: any) {
  console.log('apply rv nonexistent', e.kind, e.code, e.reason, e.message)
}
try {
  await api.apply(resources.configMaps, cm('one', { uid: '00000000-0000-0000-0000-000000000000' }))
} catch (e: any) {
  console.log('apply other uid', e.kind, e.code, e.reason, e.message)
}
try {
  await api.create(resources.configMaps, cm('one'))
} catch (e: any) {
  console.log('create exists', e.kind, e.code, e.reason, e.message)
}
try {
  await api.patch(
    resources.configMaps,
    { namespace: 'default', name: 'one', uid: a.metadata.uid, resourceVersion: '1' },
    { data: { y: 'z' } },
  )
} catch (e: any) {
  console.log('patch rv', e.kind, e.code, e.reason, e.message)
}
try {
  await api.delete(resources.configMaps, { ...a.metadata })
} catch (e: any) {
  console.log('delete old rv', e.kind, e.code, e.reason, e.message)
}
const now = (await api.get(resources.configMaps, { namespace: 'default', name: 'one' }))!
console.log(
  'one',
  now.data,
  inf.get({ namespace: 'default', name: 'one' })?.data,
  inf.indexed('d').length,
)
const events = new EventRecorder({
  api,
  clock: realClock,
  random: realRandom,
  instance: 'me',
  onDropped: (e, r) => console.log('DROPPED', r),
})
events.tell({
  regarding: now,
  type: 'Normal',
  reason: 'Foo',
  action: 'Bar',
  note: 'é'.repeat(1000),
})
events.tell({
  regarding: now,
  type: 'Normal',
  reason: 'Foo',
  action: 'Bar',
  note: 'é'.repeat(1000),
})
await events.flushed()
console.log(
  await api.delete(resources.configMaps, now.metadata),
  await api.delete(resources.configMaps, now.metadata),
  await api.get(resources.configMaps, { namespace: 'default', name: 'one' }),
)
const leader = new Leader({
  api,
  clock: realClock,
  namespace: 'default',
  name: 'l',
  identity: 'me',
  onLost: () => console.log('LOST'),
  onFailure: r => console.log('L', r),
})
void leader.run()
await leader.leading
console.log('leads', leader.mayAct(), leader.holder)
await new Promise(r => setTimeout(r, 2500))
await leader.release()
console.log(leader.mayAct(), process.memoryUsage().rss / 1e6, n)
end.abort()
await transport.close()
