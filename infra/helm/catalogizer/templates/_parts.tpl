{{- define "labels" -}}
app.kubernetes.io/name: catalogizer
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "meta" -}}
name: {{ .top.Release.Name }}-{{ .component }}
labels:
  {{- include "labels" .top | nindent 2 }}
  app.kubernetes.io/component: {{ .component }}
  app.kubernetes.io/version: {{ .top.Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ .top.Release.Service }}
  helm.sh/chart: {{ .top.Chart.Name }}-{{ .top.Chart.Version }}
{{- end }}

{{- define "selector" -}}
{{ include "labels" .top }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Settings of all pods: an unprivileged user, no capabilities, no token of the cluster. */}}
{{- define "pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 30
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "container" -}}
image: {{ include "image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* Whether a process reads a setting: those of the other processes are not passed to it. */}}
{{- define "reads" -}}
{{- $own := get (dict "watch" "PRODUCER" "stream" "(STREAMS|ALERTS)" "serve" "GATEWAY") .component }}
{{- if or (not (regexMatch "^CATALOGIZER_(PRODUCER|STREAMS|ALERTS|GATEWAY)__" .name)) (and $own (regexMatch (printf "^CATALOGIZER_%s__" $own) .name)) }}yes{{ end }}
{{- end }}

{{- define "files" -}}
{{- range $name, $file := .top.Values.files }}{{ if include "reads" (dict "component" $.component "name" $name) }}
- secret: {name: {{ $file.secret }}, items: [{key: {{ $file.key | quote }}, path: {{ $name }}}]}
{{- end }}{{ end }}
{{- end }}

{{- define "password" -}}{{ with .Values.kafka }}{{ if and (hasPrefix "SASL" .protocol) (ne .mechanism "OAUTHBEARER") }}yes{{ end }}{{ end }}{{- end }}

{{/* Settings of a process: the address of Kafka, the credentials there, additional settings and files. */}}
{{- define "settings" -}}
- {name: CATALOGIZER_STATE_DIR, value: /var/lib/catalogizer}
{{- with .top.Values.kafka }}
- {name: CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS, value: {{ .servers | quote }}}
- {name: CATALOGIZER_KAFKA__REPLICATION_FACTOR, value: {{ .replication | quote }}}
- {name: CATALOGIZER_KAFKA__LANES, value: {{ .lanes | quote }}}
- {name: CATALOGIZER_KAFKA__SECURITY_PROTOCOL, value: {{ .protocol }}}
{{- if hasPrefix "SASL" .protocol }}
- {name: CATALOGIZER_KAFKA__SASL_MECHANISM, value: {{ .mechanism }}}
{{- end }}
{{- if include "password" $.top }}
- {name: CATALOGIZER_KAFKA__SASL_USERNAME, value: {{ required "kafka.username" .username | quote }}}
- {name: CATALOGIZER_KAFKA__SASL_PASSWORD_FILE, value: /run/kafka/{{ .password.key }}}
{{- end }}
{{- if .authority.secret }}
- {name: CATALOGIZER_KAFKA__SSL_CAFILE, value: /run/authority/{{ .authority.key }}}
{{- end }}
{{- end }}
{{- range $name, $value := .top.Values.settings }}{{ if include "reads" (dict "component" $.component "name" $name) }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}{{ end }}
{{- range $name, $file := .top.Values.files }}{{ if include "reads" (dict "component" $.component "name" $name) }}
- {name: {{ $name }}, value: /run/files/{{ $name }}}
{{- end }}{{ end }}
{{- end }}

{{- define "database" -}}
- {name: CATALOGIZER_DATABASE__URL_FILE, value: /run/database/{{ .Values.database.key }}}
{{- end }}

{{- define "mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if include "password" .top }}
- {name: kafka, mountPath: /run/kafka, readOnly: true}
{{- end }}
{{- if .top.Values.kafka.authority.secret }}
- {name: authority, mountPath: /run/authority, readOnly: true}
{{- end }}
{{- if include "files" . }}
- {name: files, mountPath: /run/files, readOnly: true}
{{- end }}
{{- end }}

{{- define "volumes" -}}
- {name: tmp, emptyDir: {sizeLimit: 256Mi}}
{{- if include "password" .top }}
- {name: kafka, secret: {secretName: {{ required "kafka.password.secret" .top.Values.kafka.password.secret }}, defaultMode: 0440}}
{{- end }}
{{- if .top.Values.kafka.authority.secret }}
- {name: authority, secret: {secretName: {{ .top.Values.kafka.authority.secret }}, defaultMode: 0440}}
{{- end }}
{{- with include "files" . }}
- name: files
  projected:
    defaultMode: 0440
    sources: {{- . | nindent 6 }}
{{- end }}
{{- end }}

{{- define "probes" -}}
livenessProbe: {httpGet: {path: /health/live, port: {{ . }}}, initialDelaySeconds: 30, periodSeconds: 20, timeoutSeconds: 5}
readinessProbe: {httpGet: {path: /health/ready, port: {{ . }}}, periodSeconds: 10, timeoutSeconds: 5}
{{- end }}
