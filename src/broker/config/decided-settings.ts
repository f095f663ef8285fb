import {
  type ConfigLevel,
  decidedConfigs,
  minInsyncReplicasByDefault,
  minInsyncReplicasConfig,
} from '../metadata/decided-configs.ts'
import { camel, isSettingName, type SettingName, settingOf, type Settings } from './settings.ts'

/** What was given at start, and where: `broker.properties line 3`. */
interface Given {
  readonly text: string
  readonly where: string
}

/**
 * A sentence for each setting that was given at start although the metadata log decides it alone: it would be in force nowhere. What
 * says no more than what holds without it passes, since files have that.
 */
export function decidedProblems(
  given: ReadonlyMap<SettingName, Given>,
  settings: Settings,
): string[] {
  return [...decidedConfigs].flatMap(([name, levels]) => {
    if (!isSettingName(name)) return []
    const found = given.get(name)
    if (found === undefined || isSoAnyway(name, settings)) return []
    const [first, ...others] = levels.map(level => entities[level])
    const or = others.map(other => ` (or ${other})`).join('')
    return [
      `${found.where}: ${name} cannot be given at start, because the metadata log decides it, which all brokers share: leave it out, and ` +
        `once they run: kafka-configs --bootstrap-server HOST:PORT --alter ${first!} --add-config ${name}=${found.text.trim()}${or}`,
    ]
  })
}

/** Whose a config is, to Kafka's tool. */
const entities: Readonly<Record<ConfigLevel, string>> = {
  topic: '--entity-type topics --entity-name TOPIC',
  'one broker': '--entity-type brokers --entity-name ID',
  'all brokers': '--entity-type brokers --entity-default',
}

/** Kafka's default, where that is what holds. */
function isSoAnyway(name: SettingName, settings: Settings): boolean {
  const isDefault = settings[camel(name)] === settingOf(name).default
  if (name !== minInsyncReplicasConfig) return isDefault
  return isDefault && minInsyncReplicasByDefault(settings.defaultReplicationFactor) === 1
}
