import { adminOrderScenarios } from './requests/admin-order.ts'
import { adminSweeps } from './requests/admin.ts'
import { batchScenarios } from './requests/batches.ts'
import { configValueScenarios } from './requests/config-values.ts'
import { configSweeps } from './requests/configs.ts'
import { creationScenarios } from './requests/creation.ts'
import { dataSweeps } from './requests/data.ts'
import { fetchingScenarios } from './requests/fetching.ts'
import { freshScenarios } from './requests/fresh.ts'
import { groupOrderScenarios } from './requests/group-order.ts'
import { groupSweeps } from './requests/groups.ts'
import { keyScenarios } from './requests/keys.ts'
import { producingScenarios } from './requests/producing.ts'
import { sessionScenarios } from './requests/sessions.ts'
import { topicSweeps } from './requests/topics.ts'
import type { Scenario } from './session.ts'

/** What is asked, by theme, in this order: `fresh` wants a broker that nothing was done to yet. */
export const themes: Readonly<Record<string, readonly Scenario[]>> = {
  fresh: freshScenarios,
  batches: batchScenarios,
  producing: producingScenarios,
  fetching: fetchingScenarios,
  sessions: sessionScenarios,
  groups: groupOrderScenarios,
  topics: creationScenarios,
  configs: configValueScenarios,
  admin: adminOrderScenarios,
  keys: keyScenarios,
  'sweep-data': dataSweeps,
  'sweep-topics': topicSweeps,
  'sweep-groups': groupSweeps,
  'sweep-configs': configSweeps,
  'sweep-admin': adminSweeps,
}
