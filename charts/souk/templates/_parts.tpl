{{- define "souk.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- /* On every object; part = control-plane, runtime, operator */ -}}
{{- define "souk.labels" -}}
{{ include "souk.selector" . }}
app.kubernetes.io/part-of: souk
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end -}}

{{- define "souk.selector" -}}
app.kubernetes.io/name: souk-{{ .part }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end -}}

{{- /* One of the passwords of the Secret */ -}}
{{- define "souk.secret" -}}
- name: {{ .name }}
  valueFrom: { secretKeyRef: { name: {{ .root.Values.existingSecret }}, key: {{ .key }} } }
{{- end -}}

{{- define "souk.pod" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
enableServiceLinks: {{ .links | default false }}
terminationGracePeriodSeconds: 45
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: { type: RuntimeDefault }
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector: { matchLabels: { {{ include "souk.selector" . | replace "\n" ", " }} } }
    matchLabelKeys: [pod-template-hash]
{{- with .root.Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "souk.container" -}}
image: {{ include "souk.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
startupProbe: { httpGet: { path: /startupz, port: internal }, periodSeconds: 2, failureThreshold: 60 }
livenessProbe: { httpGet: { path: /livez, port: internal }, periodSeconds: 10 }
readinessProbe: { httpGet: { path: /readyz, port: internal }, periodSeconds: 5 }
lifecycle: { preStop: { sleep: { seconds: 5 } } }
{{- end -}}

{{- define "souk.environment" -}}
- { name: SOUK_DATABASE_URL, value: {{ .Values.database.url | quote }} }
- { name: SOUK_LANES, value: {{ .Values.database.lanes | quote }} }
- { name: SOUK_PLATFORM_DOMAIN, value: {{ .Values.platformDomain | quote }} }
- { name: SOUK_PUBLIC_URL, value: {{ .Values.publicUrl | quote }} }
- { name: SOUK_LOG, value: json }
{{- end -}}
