{{- define "gate.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- define "gate.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gate.labels" -}}
{{ include "gate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "gate.image" -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- end -}}

{{- define "gate.opaImage" -}}
{{ .Values.opa.image.repository }}@{{ .Values.opa.image.digest }}
{{- end -}}

{{- define "gate.opaHealth" -}}
{{- $asked := `[true | http.send({"method": "GET", "url": "http://127.0.0.1:8181/health", "timeout": "2s"}).status_code == 200][0]` -}}
{{ list "/opa" "eval" "--fail" "--format=raw" $asked | toJson }}
{{- end -}}

{{- define "gate.opa" -}}
- name: opa
  image: {{ include "gate.opaImage" . | quote }}
  imagePullPolicy: IfNotPresent
  restartPolicy: Always
  args:
    - run
    - --server
    - --verification-key={{ include "gate.root" . }}/{{ .Values.opa.verificationKey }}
    - --verification-key-id=gate
    - --signing-alg=ES256
    - --scope=write
    - --addr=127.0.0.1:8181
    - --authentication=token
    - --authorization=basic
    - --skip-version-check
    - --log-level=error
    - --log-format=json
    - --bundle
    - {{ include "gate.root" . }}/{{ .Values.opa.bundle }}
  env:
    - name: GATE_OPA_TOKEN
      valueFrom:
        secretKeyRef:
          name: {{ .Values.opa.token.existingSecret }}
          key: {{ .Values.opa.token.key | quote }}
  # The image has no shell, and nobody else reaches its loopback interface: OPA asks itself.
  startupProbe:
    exec: {command: {{ include "gate.opaHealth" . }}}
    periodSeconds: 2
    timeoutSeconds: 5
    failureThreshold: 60
  livenessProbe:
    exec: {command: {{ include "gate.opaHealth" . }}}
    periodSeconds: 20
    timeoutSeconds: 5
  resources: {{- toYaml .Values.opa.resources | nindent 4 }}
  securityContext: {{- include "gate.containerSecurity" . | nindent 4 }}
  volumeMounts:
    - {name: configuration, mountPath: /etc/gate, readOnly: true}
{{- end -}}

{{- define "gate.host" -}}
{{ include "gate.name" . }}.{{ .Release.Namespace }}.svc
{{- end -}}

{{- define "gate.tlsSecret" -}}
{{- if eq .Values.certificate.source "existing" -}}
{{ .Values.certificate.existing.secret }}
{{- else -}}
{{ include "gate.name" . }}-tls
{{- end -}}
{{- end -}}

{{/* What Kubernetes lays into a volume from a config map are links; behind `..data` the files themselves lie. */}}
{{- define "gate.root" -}}
{{- if .Values.configuration.volume -}}/etc/gate{{- else -}}/etc/gate/..data{{- end -}}
{{- end -}}

{{- define "gate.configurationVolume" -}}
{{- if .Values.configuration.volume -}}
{{ toYaml .Values.configuration.volume }}
{{- else if .Values.configuration.existingConfigMap -}}
configMap:
  name: {{ .Values.configuration.existingConfigMap }}
  {{- with .Values.configuration.items }}
  items: {{ toJson . }}
  {{- end }}
{{- else -}}
configMap:
  name: {{ include "gate.name" . }}
  items:
    {{- range $path, $_ := merge (dict) .Values.configuration.files .Values.configuration.binaryFiles }}
    - {key: {{ include "gate.key" $path }}, path: {{ $path | quote }}}
    {{- end }}
{{- end -}}
{{- end -}}

{{/* Keys of config maps have no slash. */}}
{{- define "gate.key" -}}
{{ . | replace "/" "__" }}
{{- end -}}

{{- define "gate.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "gate.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* What the gate reads, for the server and for the audit. */}}
{{- define "gate.mounts" -}}
- {name: configuration, mountPath: /etc/gate, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if eq .Values.record.kind "postgres" }}
- {name: postgres, mountPath: /run/secrets/gate/postgres, readOnly: true}
{{- end }}
{{- if .Values.registryCredentials.existingSecret }}
- {name: registries, mountPath: /run/secrets/gate/registries, readOnly: true}
{{- end }}
{{- if .Values.opa.enabled }}
- {name: opa-token, mountPath: /run/secrets/gate/opa, readOnly: true}
{{- end }}
{{- end -}}

{{- define "gate.volumes" -}}
- name: configuration
  {{- include "gate.configurationVolume" . | nindent 2 }}
- name: tmp
  emptyDir: {medium: Memory, sizeLimit: 64Mi}
{{- if eq .Values.record.kind "postgres" }}
- name: postgres
  secret:
    secretName: {{ .Values.record.postgres.existingSecret }}
    defaultMode: 288
    items: [{key: {{ .Values.record.postgres.key | quote }}, path: dsn}]
{{- end }}
{{- with .Values.registryCredentials.existingSecret }}
- name: registries
  secret: {secretName: {{ . }}, defaultMode: 288, items: [{key: .dockerconfigjson, path: config.json}]}
{{- end }}
{{- if .Values.opa.enabled }}
- name: opa-token
  secret:
    secretName: {{ .Values.opa.token.existingSecret }}
    defaultMode: 288
    items: [{key: {{ .Values.opa.token.key | quote }}, path: token}]
{{- end }}
{{- end -}}

{{- define "gate.environment" -}}
{{- if .Values.registryCredentials.existingSecret }}
- {name: DOCKER_CONFIG, value: /run/secrets/gate/registries}
{{- end }}
{{- if .Values.record.checkpointKey.existingSecret }}
- name: GATE_LOG_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .Values.record.checkpointKey.existingSecret }}
      key: {{ .Values.record.checkpointKey.key | quote }}
{{- end }}
{{- end -}}

{{/* Places in a network: blocks of addresses, namespaces. */}}
{{- define "gate.peer" -}}
{{- if .cidr -}}
ipBlock: {{ dict "cidr" .cidr "except" (.except | default list) | toJson }}
{{- else -}}
namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ .namespace }}}}
{{- end -}}
{{- end -}}

{{/* What values.schema.json cannot say. Each would leave a cluster open, or closed for good. */}}
{{- define "gate.check" -}}
{{- $values := .Values -}}
{{- $configuration := $values.configuration -}}
{{- $ways := list (or $configuration.files $configuration.binaryFiles) $configuration.existingConfigMap $configuration.volume -}}
{{- $chosen := 0 -}}
{{- range $ways }}{{ if . }}{{ $chosen = add1 $chosen }}{{ end }}{{ end -}}
{{- if not $values.image.repository }}{{ fail "image.repository: where you pushed the image that you built" }}{{ end -}}
{{- if not $values.image.digest }}{{ fail "image.digest: sha256:..., as your registry shows it" }}{{ end -}}
{{- if ne (int $chosen) 1 }}{{ fail "configuration: exactly one of files, existingConfigMap and volume" }}{{ end -}}
{{- if and $configuration.items (not $configuration.existingConfigMap) }}{{ fail "configuration.items belong to existingConfigMap" }}{{ end -}}
{{- if and (first $ways) (not (hasKey (merge (dict) $configuration.files $configuration.binaryFiles) $configuration.file)) }}
{{- fail (printf "configuration.files has no %s" $configuration.file) }}{{ end -}}
{{- range $path, $_ := $configuration.files }}
{{- if hasKey $configuration.binaryFiles $path }}{{ fail (printf "configuration: %s is in files and in binaryFiles" $path) }}{{ end }}
{{- end -}}
{{- if and (eq $values.record.kind "postgres") (not $values.record.postgres.existingSecret) }}
{{- fail "record.postgres.existingSecret: the secret with the connection string; or another record.kind" }}{{ end -}}
{{- if and (eq $values.certificate.source "existing") (not (and $values.certificate.existing.secret $values.certificate.existing.caBundle)) }}
{{- fail "certificate.existing needs secret and caBundle" }}{{ end -}}
{{- if $values.networkPolicy.enabled }}
{{- if not (or $values.networkPolicy.apiServer.cidrs $values.networkPolicy.apiServer.namespaces) }}
{{- fail "networkPolicy.apiServer.cidrs: from where the API server asks, or nobody reaches the webhook" }}{{ end }}
{{- if not $values.networkPolicy.registries }}
{{- fail "networkPolicy.registries: where registries are, or no evidence is found and everything is refused" }}{{ end }}
{{- if and (eq $values.record.kind "postgres") (not $values.networkPolicy.postgres) }}
{{- fail "networkPolicy.postgres: where the database is, or nothing is recorded and everything is refused" }}{{ end }}
{{- end -}}
{{- if and $values.opa.enabled (not (and $values.opa.image.digest $values.opa.token.existingSecret)) }}
{{- fail "opa needs image.digest and token.existingSecret" }}{{ end -}}
{{- if and (gt (int $values.replicas) 1) (ge (int $values.disruption.maxUnavailable) (int $values.replicas)) }}
{{- fail "disruption.maxUnavailable: one replica has to stay" }}{{ end -}}
{{- end -}}
