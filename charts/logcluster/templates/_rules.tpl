{{/*
What the operator does in a namespace that it serves. An audit log of all scenarios holds this list against what is used.
The verbs on ConfigMaps and Leases are also what it gives to brokers, by name, in a Role of each LogCluster: nobody can give more than
they have.
*/}}
{{- define "logcluster.namespacedRules" -}}
- apiGroups: [logcluster.dev]
  resources: [logclusters, logtopics]
  verbs: [get, list, watch, patch]
- apiGroups: [logcluster.dev]
  resources: [logbrokers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [logcluster.dev]
  resources: [logclusters/status, logtopics/status, logbrokers/status]
  verbs: [get, patch]
# Objects that name an owner which blocks its deletion; asked for where OwnerReferencesPermissionEnforcement is on.
- apiGroups: [logcluster.dev]
  resources: [logclusters/finalizers, logbrokers/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services, serviceaccounts, persistentvolumeclaims]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, update, patch, delete]
# Pods of brokers are made by their StatefulSets; the operator makes the pods that check a change before it is made.
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create, patch, delete]
# Whether the namespace is going: a topic's finalizer must not hold it then. A Role permits that of its own namespace.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, list, create, update, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
- apiGroups: [monitoring.coreos.com]
  resources: [podmonitors]
  verbs: [get, create, patch, delete]
{{- end -}}

{{/* What lies in no namespace. */}}
{{- define "logcluster.clusterRules" -}}
- apiGroups: [""]
  resources: [nodes]
  verbs: [get]
- apiGroups: [storage.k8s.io]
  resources: [storageclasses]
  verbs: [get]
# A volume that is bound is set to Retain, so that nothing deletes it with its claim.
- apiGroups: [""]
  resources: [persistentvolumes]
  verbs: [get, patch]
{{- end -}}
