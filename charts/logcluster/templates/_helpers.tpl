{{/* So many characters of a text at most, and none at its end that neither names nor labels end with. */}}
{{- define "logcluster.cut" -}}
{{- regexReplaceAll "[^A-Za-z0-9]+$" (trunc (int (first .)) (last .)) "" -}}
{{- end -}}

{{- define "logcluster.fullname" -}}
{{- $own := contains .Chart.Name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) -}}
{{- include "logcluster.cut" (list 50 (.Values.fullnameOverride | default $own)) -}}
{{- end -}}

{{/* A version may be longer than a label, and has a plus sign before what it was built of. */}}
{{- define "logcluster.versionLabel" -}}
{{- include "logcluster.cut" (list 63 (. | replace "+" "_")) -}}
{{- end -}}

{{/* Of the operator's pods, and of nothing else. */}}
{{- define "logcluster.selectorLabels" -}}
app.kubernetes.io/name: logcluster-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "logcluster.labels" -}}
helm.sh/chart: {{ include "logcluster.versionLabel" (printf "%s-%s" .Chart.Name .Chart.Version) }}
app.kubernetes.io/name: logcluster-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ include "logcluster.versionLabel" .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: logcluster
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "logcluster.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "logcluster.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{/* What brokers run too: it has no digest, since the tag is their version. */}}
{{- define "logcluster.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}

{{/* A restricted container, as Pod Security's profile of that name wants it. */}}
{{- define "logcluster.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "logcluster.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end -}}
