import { decidedConfigs } from '../metadata/decided-configs.ts'
import { absentSettings } from './absent-settings.ts'
import { groupConfigTable } from './group-config.ts'
import { longMax, type Setting } from './setting.ts'
import { rangeText } from './setting-value.ts'
import { settingNames, settingOf } from './settings.ts'
import { topicConfigNames, topicConfigOf } from './topic-config-table.ts'

/** What `--help` prints. */
export function helpText(): string {
  const rows = settingNames.map(name => {
    const setting = settingOf(name)
    const facts = `${setting.type}, ${rangeText(setting)}, default ${shown(setting)}, takes effect ${setting.effect}`
    return `  ${name}  (${facts})\n      ${setting.doc}`
  })
  return [
    'Usage: npm start -- [--config FILE] [--set name=value]... [--brokers N] [--help] [--version]',
    '',
    '--brokers N: a cluster of N brokers on this machine, each a process; ports and folders of the first one are given, and',
    'those of the others follow.',
    '',
    'Settings come from their defaults, then a properties file (--config), then the environment',
    '(LOGCLUSTER_LOG_SEGMENT_BYTES for log.segment.bytes), then --set; the later one wins.',
    '',
    'Settings:',
    ...rows,
  ].join('\n')
}

/** docs/settings.md, whole. @internal */
export function settingsDocument(): string {
  const ofBrokers = settingNames.filter(name => settingOf(name).broker === null)
  return [
    '# Settings',
    '',
    '<!-- Written by `node tools/generate-docs.ts` from the tables in src/broker/config: change it there. -->',
    '',
    'A setting is given in a properties file (`--config FILE`), by the environment (`LOGCLUSTER_` and the name in',
    'capitals, dots as underscores) or on the command line (`--set name=value`); the later of these wins. An unknown',
    'setting, or a value out of its range, is refused at start.',
    '',
    'A setting that does not take effect *at restart* only can be changed while the broker runs, for one broker or for',
    'all (`kafka-configs --alter --entity-type brokers`). Such changes are kept in the metadata log and stand over what',
    'is given at start; that of one broker stands over that of all. What takes effect *never* is accepted, kept and',
    'described, because tools set it or read it.',
    '',
    ...decidedText(),
    '',
    '## Of a broker',
    '',
    '| setting | type | values | default | takes effect | what it does |',
    '|---|---|---|---|---|---|',
    ...ofBrokers.map(name => tableRow([`\`${name}\``], settingOf(name))),
    '',
    '## Of a topic',
    '',
    'Given when a topic is created, or changed later (`kafka-configs --alter --entity-type topics`). Where a topic gives',
    'none, the value is that of the broker, under the name in the second column.',
    '',
    "| config | broker's setting | type | values | default | takes effect | what it does |",
    '|---|---|---|---|---|---|---|',
    ...topicConfigNames.map(name => {
      const setting = topicConfigOf(name)
      const broker = setting.broker === null ? '' : `\`${setting.broker}\``
      return tableRow([`\`${name}\``, broker], setting)
    }),
    '',
    '## Of a consumer group',
    '',
    'Given by `kafka-configs --alter --entity-type groups`.',
    '',
    '| config | type | values | default | takes effect | what it does |',
    '|---|---|---|---|---|---|',
    ...Array.from(groupConfigTable, ([name, setting]) => tableRow([`\`${name}\``], setting)),
    '',
    "## Kafka's that are none here",
    '',
    'Settings that a broker of Apache Kafka 4.3.1 describes and this one neither knows nor describes; `*` stands for the',
    'rest of a name.',
    '',
    '| settings | because |',
    '|---|---|',
    ...absentSettings.map(
      ({ names, why }) => `| ${names.map(name => `\`${name}\``).join(', ')} | ${why} |`,
    ),
    '',
  ].join('\n')
}

function decidedText(): string[] {
  const rows = Array.from(decidedConfigs, ([name, levels]) => `- \`${name}\`: ${levels.join(', ')}`)
  return [
    'Some are decided by the metadata log alone, since whoever is the controller must go by what all brokers know. Given at',
    'start they are refused, with the command that sets them, and so they are at any other level than these:',
    '',
    ...rows,
    '',
    "At start Kafka's default of each passes, as it is in force anyway: of `min.insync.replicas` that is 1, and only where",
    '`default.replication.factor` is 1 or 2.',
  ]
}

function tableRow(names: readonly string[], setting: Setting): string {
  const { type, effect, doc } = setting
  const values = escaped(rangeText(setting))
  const what = escaped(doc + aliasText(setting))
  return `| ${[...names, type, values, `\`${shown(setting)}\``, effect, what].join(' | ')} |`
}

function shown(setting: Setting): string {
  if (setting.default === '') return '(empty)'
  if (setting.default === longMax) return 'no limit'
  return String(setting.default)
}

function aliasText(setting: Setting): string {
  const aliases = Object.keys(setting.aliases)
  if (aliases.length === 0) return ''
  return ` Also as ${aliases.map(alias => `\`${alias}\``).join(', ')}.`
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|')
}
