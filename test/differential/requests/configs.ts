import {
  alterConfigs,
  describeConfigs,
  incrementalAlterConfigs,
  listConfigResources,
} from '../../../src/broker/wire/messages/index.ts'
import type { Session } from '../session.ts'
import { sweep } from '../sweep.ts'

const topicResource = 2

/** What a topic's configs are in the end, as far as the request named them. */
async function shown(session: Session, label: string, topic: string): Promise<void> {
  await session.settle()
  const configurationKeys = ['retention.ms', 'cleanup.policy', 'segment.bytes']
  const resources = [{ resourceType: topicResource, resourceName: topic, configurationKeys }]
  await session.ask(`${label}: shown`, describeConfigs, 4, { resources, includeSynonyms: true })
}

export const configSweeps = [
  ...sweep({
    api: describeConfigs,
    base: async (session, at) => {
      const resourceName = await session.topic(at, { configs: { 'retention.ms': '3600000' } })
      const configurationKeys = ['retention.ms', 'segment.bytes']
      const resources = [{ resourceType: topicResource, resourceName, configurationKeys }]
      return { resources, includeSynonyms: true, includeDocumentation: true }
    },
  }),
  ...sweep({
    api: alterConfigs,
    changes: true,
    unanswered: 'resources has one twice',
    base: async (session, at) => {
      const resourceName = await session.topic(at, { configs: { 'segment.bytes': '2097152' } })
      const configs = [{ name: 'retention.ms', value: '3600000' }]
      const resources = [{ resourceType: topicResource, resourceName, configs }]
      return { resources, validateOnly: false }
    },
    after: async (session, label, body) => {
      const [resource] = (body['resources'] ?? []) as readonly { readonly resourceName: string }[]
      if (/configs|v\d$/.test(label)) await shown(session, label, resource!.resourceName)
    },
  }),
  ...sweep({
    api: incrementalAlterConfigs,
    changes: true,
    base: async (session, at) => {
      const resourceName = await session.topic(at, { configs: { 'segment.bytes': '2097152' } })
      const configs = [{ name: 'retention.ms', configOperation: 0, value: '3600000' }]
      const resources = [{ resourceType: topicResource, resourceName, configs }]
      return { resources, validateOnly: false }
    },
    after: async (session, label, body) => {
      const [resource] = (body['resources'] ?? []) as readonly { readonly resourceName: string }[]
      if (/configs|v\d$/.test(label)) await shown(session, label, resource!.resourceName)
    },
  }),
  // Groups and topics are listed in requests/fresh.ts.
  ...sweep({
    api: listConfigResources,
    base: () => ({ resourceTypes: [16] }),
    except: ['resourceTypes'],
  }),
]
