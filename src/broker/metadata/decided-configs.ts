/** Whose a config may be. */
export type ConfigLevel = 'topic' | 'one broker' | 'all brokers'

export const minInsyncReplicasConfig = 'min.insync.replicas'
export const uncleanElectionConfig = 'unclean.leader.election.enable'
export const cordonConfig = 'cordoned.log.dirs'
export const leadershipDrainConfig = 'leadership.drain.enable'
export const freezeConfig = 'hibernation.freeze.enable'

/**
 * Configs that are read in the metadata log and nowhere else, since the controller, and whoever is it next, must decide by what all brokers
 * know (durability.md R5, R8); and at which levels `replicas.ts` reads them. What a broker was started with has no say in them.
 */
export const decidedConfigs: ReadonlyMap<string, readonly ConfigLevel[]> = new Map([
  [minInsyncReplicasConfig, ['all brokers', 'topic']],
  [uncleanElectionConfig, ['all brokers', 'topic']],
  [cordonConfig, ['one broker', 'all brokers']],
  [leadershipDrainConfig, ['one broker']],
  [freezeConfig, ['all brokers']],
] as const)

/** Whether anybody goes by a setting that is given so to running brokers. */
export function isReadAt(name: string, level: ConfigLevel): boolean {
  return decidedConfigs.get(name)?.includes(level) ?? true
}

/** `min.insync.replicas` where neither the topic nor all brokers were given one: one less than there are replicas, and 2 at most. */
export function minInsyncReplicasByDefault(replicationFactor: number): number {
  return Math.max(1, Math.min(replicationFactor - 1, 2))
}
