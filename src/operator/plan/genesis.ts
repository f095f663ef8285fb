import type { Draft } from '../kubernetes/objects.ts'
import type { Birth } from './birth.ts'
import type { BrokerView } from './broker-view.ts'
import { permission, rewritten } from './identity.ts'
import { logClusters } from '../own-kinds.ts'
import { resourceOf } from './kinds.ts'
import { oldestFor } from './operator-versions.ts'
import type { Observed, Ring } from './observed.ts'
import { statusDraft } from './status-draft.ts'
import type { Step } from './step.ts'

/** A cluster whose id is not in its status yet. */
export type Unborn = Extract<Birth, { kind: 'new' | 'adopted' }>

/**
 * The beginning of a cluster: its metadata and the permissions to format, each made by a POST, and last of all the id in the
 * status. That write is the birth: before it no broker exists, after it nothing of this is made ever again.
 */
export function genesisSteps(
  observed: Observed,
  birth: Unborn,
  { ring, views }: { readonly ring: Ring; readonly views: readonly BrokerView[] },
): Step[] {
  const isNew = birth.kind === 'new'
  const because = isNew ? 'the cluster begins' : 'the metadata is to be filled from the disks'
  return [
    ...ring
      .objects(birth.clusterId, isNew ? 'nothing' : 'disks')
      .map(draft => makeRing(draft, because)),
    ...views.filter(view => view.identityMap === null).map(isNew ? permission : rewritten),
    born(observed, birth),
  ]
}

function makeRing(draft: Draft, because: string): Step {
  return {
    do: 'create',
    ifExists: 'same',
    resource: resourceOf(draft),
    draft,
    what: `${draft.kind} ${draft.metadata.name}`,
    because,
  }
}

function born(observed: Observed, birth: Unborn): Step {
  const { cluster } = observed
  const { name } = cluster.metadata
  const status = {
    ...cluster.status,
    clusterId: birth.clusterId,
    oldestOperator: oldestFor(cluster),
  }
  return {
    do: 'apply status',
    resource: logClusters,
    draft: statusDraft(cluster, status, 'this version'),
    what: `LogCluster ${name}`,
    because: `its metadata is there, so it is cluster ${birth.clusterId}`,
    event: {
      type: 'Normal',
      ...(birth.kind === 'adopted'
        ? { reason: 'VolumesAdopted', action: 'Adopt', note: adopted(birth) }
        : {
            reason: 'ClusterCreated',
            action: 'Create',
            note: `Made the metadata of cluster ${birth.clusterId}.`,
          }),
    },
  }
}

function adopted({ clusterId, claims }: Extract<Birth, { kind: 'adopted' }>): string {
  const what = claims.length === 0 ? 'spec.clusterId' : `kept claims ${claims.join(', ')}`
  return `Adopted cluster ${clusterId} by its ${what}: no disk is formatted, metadata comes from the disks.`
}
