/** Bit n stands for the operation of code n (KIP-430). Without an authorizer everybody may do everything. */
const codes = {
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
} as const

type Operation = keyof typeof codes

/** The client did not ask. */
export const withheldOperations = -(2 ** 31)

export const clusterOperations = bits([
  'create',
  'alter',
  'describe',
  'clusterAction',
  'describeConfigs',
  'alterConfigs',
  'idempotentWrite',
])

export const topicOperations = bits([
  'read',
  'write',
  'create',
  'delete',
  'alter',
  'describe',
  'describeConfigs',
  'alterConfigs',
])

export const groupOperations = bits([
  'read',
  'delete',
  'describe',
  'describeConfigs',
  'alterConfigs',
])

function bits(operations: readonly Operation[]): number {
  return operations.reduce((sum, operation) => sum | (1 << codes[operation]), 0)
}

/** What an answer about access rules says beside SECURITY_DISABLED. */
export const withoutAuthorizer =
  'This cluster has no authorizer: everybody may do everything, and there are no ACLs.'
