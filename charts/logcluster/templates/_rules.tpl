{{/*
What the operator does in a namespace that it serves, and nothing else: it watches most kinds by list and watch and never gets them. An
apply is a patch, and a create where the object is not there yet. The verbs on ConfigMaps and Leases are also what it gives to brokers, by
name, in a Role of each LogCluster: nobody can give more than they have.
*/}}
{{- define "logcluster.namespacedRules" -}}
# Patched are finalizers only.
- apiGroups: [logcluster.dev]
  resources: [logclusters, logtopics]
  verbs: [get, list, watch, patch]
# Of one whose broker leaves the cluster a note is patched in, and it is deleted in the end.
- apiGroups: [logcluster.dev]
  resources: [logbrokers]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [logcluster.dev]
  resources: [logclusters/status, logtopics/status, logbrokers/status]
  verbs: [patch]
# Objects name a LogCluster as an owner that blocks its deletion; asked for where OwnerReferencesPermissionEnforcement is on.
- apiGroups: [logcluster.dev]
  resources: [logclusters/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services, persistentvolumeclaims]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, update, delete]
# Pods of brokers are made by their StatefulSets; the operator makes the pods that check a change before it is made, and tells pods the rack
# of the node that they came to.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch, create, patch, delete]
# By name, and never a list: it makes one for each LogCluster, reads that, and changes its passwords (update).
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create, update]
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [list, watch, create, patch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [list, watch, create, patch]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [list, watch, create, patch]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, list, create, update, delete]
# Whether the namespace is going: a topic's finalizer must not hold it then. A Role permits that of its own namespace.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
- apiGroups: [monitoring.coreos.com]
  resources: [podmonitors]
  verbs: [get, create, patch, delete]
{{- end -}}

{{/* What lies in no namespace. */}}
{{- define "logcluster.clusterRules" -}}
# Why a broker that is bound to a node waits for it, and whether a node that carries one is being drained: each by its name.
- apiGroups: [""]
  resources: [nodes]
  verbs: [get, watch]
# Why a claim stays unbound, and whether its volume can grow.
- apiGroups: [storage.k8s.io]
  resources: [storageclasses]
  verbs: [get]
# A volume that is bound is set to Retain, so that nothing deletes it with its claim.
- apiGroups: [""]
  resources: [persistentvolumes]
  verbs: [get, patch]
{{- end -}}
