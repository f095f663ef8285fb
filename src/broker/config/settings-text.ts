import { rangeText, type Setting } from './setting.ts'
import { settingNames, settingOf } from './settings.ts'

/** What `--help` prints. */
export function helpText(): string {
  const rows = settingNames.map(name => {
    const setting = settingOf(name)
    const facts = `${setting.type}, ${rangeText(setting)}, default ${shown(setting)}`
    return `  ${name}  (${facts})\n      ${setting.doc}`
  })
  return [
    'Usage: npm start -- [--config FILE] [--set name=value]... [--help] [--version]',
    '',
    'Settings come from their defaults, then a properties file (--config), then the environment',
    '(LOGCLUSTER_LOG_SEGMENT_BYTES for log.segment.bytes), then --set; the later one wins.',
    '',
    'Settings:',
    ...rows,
  ].join('\n')
}

/** docs/settings.md, whole. */
export function settingsDocument(): string {
  const rows = settingNames.map(name => {
    const setting = settingOf(name)
    const cells = [
      `\`${name}\``,
      setting.type,
      escaped(rangeText(setting)),
      `\`${shown(setting)}\``,
      setting.topic === null ? '' : `\`${setting.topic}\``,
      setting.dynamic ? 'yes' : '',
      escaped(setting.doc + aliasText(setting)),
    ]
    return `| ${cells.join(' | ')} |`
  })
  return [
    '# Settings',
    '',
    '<!-- Written by `node tools/generate-docs.ts` from src/broker/config/settings.ts: change it there. -->',
    '',
    'A setting is given in a properties file (`--config FILE`), by the environment (`LOGCLUSTER_` and the name in',
    'capitals, dots as underscores) or on the command line (`--set name=value`); the later of these wins. An unknown',
    'setting, or a value out of its range, is refused at start. Where the column *on a topic* has a name, a topic can',
    'have a value of its own, given when it is created or changed later. Where the column *live* says yes, the setting can be',
    'changed while the broker runs, for one broker or for all (`kafka-configs --alter --entity-type brokers`). Such changes are',
    'kept in the metadata log and stand over what is given at start; that of one broker stands over that of all.',
    '',
    '| setting | type | values | default | on a topic | live | what it does |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function shown(setting: Setting): string {
  if (setting.default === '') return '(empty)'
  if (setting.default === Number.MAX_SAFE_INTEGER) return 'no limit'
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
