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

{{/* Settings of every process: the address of Kafka, the credentials there, and additional settings. */}}
{{- define "settings" -}}
- {name: CATALOGIZER_STATE_DIR, value: /var/lib/catalogizer}
{{- with .Values.kafka }}
- {name: CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS, value: {{ .servers | quote }}}
- {name: CATALOGIZER_KAFKA__REPLICATION_FACTOR, value: {{ .replication | quote }}}
- {name: CATALOGIZER_KAFKA__LANES, value: {{ .lanes | quote }}}
- {name: CATALOGIZER_KAFKA__SECURITY_PROTOCOL, value: {{ .protocol }}}
{{- if hasPrefix "SASL" .protocol }}
- {name: CATALOGIZER_KAFKA__SASL_MECHANISM, value: {{ .mechanism }}}
- {name: CATALOGIZER_KAFKA__SASL_USERNAME, value: {{ required "kafka.username" .username | quote }}}
- {name: CATALOGIZER_KAFKA__SASL_PASSWORD_FILE, value: /run/kafka/{{ .password.key }}}
{{- end }}
{{- if .authority.secret }}
- {name: CATALOGIZER_KAFKA__SSL_CAFILE, value: /run/authority/{{ .authority.key }}}
{{- end }}
{{- end }}
{{- range $name, $value := .Values.settings }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{- define "database" -}}
- {name: CATALOGIZER_DATABASE__URL_FILE, value: /run/database/{{ .Values.database.key }}}
{{- end }}

{{- define "mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if hasPrefix "SASL" .Values.kafka.protocol }}
- {name: kafka, mountPath: /run/kafka, readOnly: true}
{{- end }}
{{- if .Values.kafka.authority.secret }}
- {name: authority, mountPath: /run/authority, readOnly: true}
{{- end }}
{{- end }}

{{- define "volumes" -}}
- {name: tmp, emptyDir: {sizeLimit: 256Mi}}
{{- if hasPrefix "SASL" .Values.kafka.protocol }}
- {name: kafka, secret: {secretName: {{ required "kafka.password.secret" .Values.kafka.password.secret }}, defaultMode: 0440}}
{{- end }}
{{- if .Values.kafka.authority.secret }}
- {name: authority, secret: {secretName: {{ .Values.kafka.authority.secret }}, defaultMode: 0440}}
{{- end }}
{{- end }}

{{- define "probes" -}}
livenessProbe: {httpGet: {path: /health/live, port: {{ . }}}, initialDelaySeconds: 30, periodSeconds: 20, timeoutSeconds: 5}
readinessProbe: {httpGet: {path: /health/ready, port: {{ . }}}, periodSeconds: 10, timeoutSeconds: 5}
{{- end }}
