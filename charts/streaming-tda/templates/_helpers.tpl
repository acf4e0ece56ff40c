{{- define "operator.name" -}}
{{- default "streaming-tda-operator" .Values.nameOverride | trunc 53 | trimSuffix "-" }}
{{- end }}

{{/* A release that is called like the chart does not say it twice. */}}
{{- define "operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride }}
{{- else if hasPrefix "streaming-tda" .Release.Name }}
{{- printf "%s-operator" (trimSuffix "-operator" .Release.Name) | replace "." "-" | trunc 53 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "operator.name" .) | replace "." "-" | trunc 53 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "operator.selector" -}}
app.kubernetes.io/name: {{ include "operator.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* Labels of a user are beside those of the chart, never in their place. */}}
{{- define "operator.labels" -}}
{{- $own := dict
  "app.kubernetes.io/component" "operator"
  "app.kubernetes.io/part-of" "streaming-tda"
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_")
}}
{{- merge $own (include "operator.selector" . | fromYaml) (default dict .Values.labels) | toYaml }}
{{- end }}

{{- define "operator.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "operator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* What belongs to no namespace is told apart from that of a release of the same name in another one. */}}
{{- define "operator.clusterName" -}}
{{- printf "%s:%s" .Release.Namespace (include "operator.fullname" .) }}
{{- end }}

{{- define "operator.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{/* What the operator does to resources and to what it keeps for them, and nothing else. */}}
{{- define "operator.rules" -}}
- apiGroups: [streamingtda.io]
  resources: [streamingtdas]
  verbs: [get, list, watch]
- apiGroups: [streamingtda.io]
  resources: [streamingtdas/status]
  verbs: [patch]
# Workers may have no more rights than the operator that gives them theirs.
- apiGroups: [streamingtda.io]
  resources: [partitionassignments]
  verbs: [get, list, watch]
- apiGroups: [streamingtda.io]
  resources: [partitionassignments/status]
  verbs: [patch]
# What is kept for each revision, or may be asked for no longer.
- apiGroups: [apps]
  resources: [deployments, controllerrevisions]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [servicemonitors]
  verbs: [get, list, create, patch, delete]
# Where the workers are, to be asked what they do.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
# What is kept for as long as the resource is there; the garbage collector deletes it.
- apiGroups: [""]
  resources: [services, serviceaccounts]
  verbs: [get, list, watch, create, patch]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [get, list, watch, create, patch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* What every operator of the release is told. */}}
{{- define "operator.arguments" -}}
- {{ printf "--lease=%s" (include "operator.fullname" .) | quote }}
- {{ printf "--listen=0.0.0.0:%d" (int .Values.service.port) | quote }}
- {{ printf "--worker-repository=%s" .Values.worker.image.repository | quote }}
- {{ printf "--worker-tag=%s" (default .Chart.AppVersion .Values.worker.image.tag) | quote }}
{{- with .Values.worker.image.digest }}
- {{ printf "--worker-digest=%s" . | quote }}
{{- end }}
{{- with .Values.watchNamespaces }}
- {{ join "," . | printf "--watch-namespaces=%s" | quote }}
{{- end }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "operator.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "operator.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
{{- end }}
