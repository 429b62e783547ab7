// What an agent needs to see: an ordinary object goes through as it came, and references stay readable.

import { describe, expect } from "vitest";
import { fieldOf } from "../../../src/masking/fields.ts";
import { promise } from "../../support/promise.ts";
import { masker, maskText } from "./support.ts";

const hex = (length: number): string => "0123456789abcdef".repeat(8).slice(0, length);

const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "api-7bbd5678c7-78nqk",
    generateName: "api-7bbd5678c7-",
    namespace: "shop",
    uid: "0f3e2d1c-4b5a-6978-8796-a5b4c3d2e1f0",
    resourceVersion: "123456789",
    creationTimestamp: "2026-01-05T10:11:12Z",
    labels: { app: "api", "pod-template-hash": "7bbd5678c7", "app.kubernetes.io/version": "1.4.2" },
    annotations: {
      "checksum/secret": hex(64),
      "checksum/config": hex(64),
      "prometheus.io/port": "9090",
      "kubernetes.io/config.seen": "2026-01-05T10:11:12.123456789Z",
      "cni.projectcalico.org/containerID": hex(64),
      "nginx.ingress.kubernetes.io/auth-secret": "basic-auth",
    },
    ownerReferences: [
      {
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        name: "api-7bbd5678c7",
        uid: "0f3e2d1c-4b5a-6978-8796-a5b4c3d2e1f1",
        controller: true,
      },
    ],
  },
  spec: {
    automountServiceAccountToken: true,
    imagePullSecrets: [{ name: "registry-credentials" }],
    serviceAccountName: "token-reader",
    containers: [
      {
        name: "api",
        image: `registry.example.com/shop/api@sha256:${hex(64)}`,
        command: [
          "/bin/server",
          "--port=8080",
          "--token-file=/var/run/token",
          "--tls-private-key-file",
          "/etc/tls/tls.key",
          "-p",
          "8080",
        ],
        args: [
          "--config",
          "/etc/app/config.yaml",
          "--secret-name=db-credentials",
          "--kubeconfig",
          "/home/me/.kube/config",
        ],
        env: [
          { name: "LOG_LEVEL", value: "info" },
          { name: "TOKEN_TTL", value: "3600" },
          { name: "PASSWORD_FILE", value: "/run/secrets/password" },
          { name: "SECRET_NAME", value: "db-credentials" },
          { name: "PARTITION_KEY", value: "customer_id" },
          { name: "DB_PASSWORD", valueFrom: { secretKeyRef: { name: "db-credentials", key: "password" } } },
          { name: "DATABASE_URL", value: "postgres://app:$(DB_PASSWORD)@db:5432/shop" },
          {
            name: "PUBLIC_KEY",
            value: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0123456789abcdefghijklmnopqrstuvwxyzABCDEF deploy",
          },
          { name: "GIT_COMMIT", value: hex(40) },
        ],
        envFrom: [{ secretRef: { name: "api-secrets" } }],
        resources: { limits: { cpu: "500m", memory: "256Mi" } },
      },
    ],
    volumes: [
      {
        name: "tls",
        secret: { secretName: "api-tls", defaultMode: 420, items: [{ key: "tls.key", path: "tls.key" }] },
      },
      {
        name: "kube-api-access-x7k2p",
        projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: "token" } }] },
      },
    ],
  },
  status: {
    phase: "Running",
    podIP: "10.1.2.3",
    containerStatuses: [
      {
        name: "api",
        imageID: `registry.example.com/shop/api@sha256:${hex(64)}`,
        containerID: `containerd://${hex(64)}`,
        ready: true,
        restartCount: 0,
      },
    ],
    conditions: [
      {
        type: "Ready",
        status: "True",
        message: 'secret "api-tls" mounted',
        lastTransitionTime: "2026-01-05T10:11:12Z",
      },
    ],
  },
};

const others = [
  {
    kind: "ServiceAccount",
    metadata: { name: "x" },
    secrets: [{ name: "x-token-abcde" }],
    imagePullSecrets: [{ name: "regcred" }],
  },
  {
    kind: "Role",
    rules: [
      {
        apiGroups: [""],
        resources: ["secrets", "serviceaccounts/token"],
        resourceNames: ["db-credentials"],
        verbs: ["get"],
      },
    ],
  },
  { kind: "Ingress", spec: { tls: [{ hosts: ["shop.example.com"], secretName: "shop-tls" }] } },
  {
    kind: "ConfigMap",
    data: {
      LOG_LEVEL: "debug",
      "nginx.conf": "server {\n  listen 80;\n  ssl_certificate_key /etc/tls/tls.key;\n}\n",
      "ca.crt": "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n",
      "features.json": '{"tokens": 12, "maxTokens": 4096, "authEnabled": true}',
    },
  },
  {
    kind: "ExternalSecret",
    spec: {
      refreshInterval: "1h",
      secretStoreRef: { name: "vault", kind: "ClusterSecretStore" },
      target: { name: "db-credentials" },
      data: [{ secretKey: "password", remoteRef: { key: "shop/db", property: "password" } }],
    },
  },
  {
    kind: "Certificate",
    spec: {
      secretName: "shop-tls",
      issuerRef: { name: "letsencrypt" },
      privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
    },
  },
  {
    kind: "Event",
    reason: "FailedMount",
    message: 'MountVolume.SetUp failed for volume "tls" : secret "shop-tls" not found',
    involvedObject: { kind: "Pod", uid: "0f3e2d1c-4b5a-6978-8796-a5b4c3d2e1f0" },
  },
  {
    kind: "Node",
    status: {
      nodeInfo: { machineID: hex(32), systemUUID: "0F3E2D1C-4B5A-6978-8796-A5B4C3D2E1F0", kubeletVersion: "v1.36.4" },
      images: [{ names: [`nginx@sha256:${hex(64)}`], sizeBytes: 12345678 }],
    },
  },
  {
    kind: "CustomResourceDefinition",
    spec: {
      versions: [
        {
          schema: {
            openAPIV3Schema: {
              properties: {
                password: { type: "string", description: "The administrator's password." },
                tokenSecretRef: { type: "object" },
              },
            },
          },
        },
      ],
    },
  },
];

describe("what stays readable", () => {
  promise("masking:readable", "an ordinary Pod and its neighbours go through untouched", () => {
    expect(masker().object(pod)).toBe(pod);
    for (const object of others) expect(masker().object(object)).toEqual(object);
  });

  promise("masking:readable", "names are judged word by word", () => {
    const none =
      "secretName keyRef tokenExpirationSeconds publicKey public_key passwordPolicy token_type max_tokens nextPageToken sort_key kms_key_id aws_access_key_id monkey compass bypass checksum/secret secretKeyRef tokenTTL passwordLength authMethod keyspace tokenizer secretStoreRef";
    expect(none.split(" ").filter((name) => fieldOf(name) !== undefined)).toEqual([]);
    const some =
      "password DB_PASS adminPassword PGPASSWORD api-key client_secret authToken secretAccessKey private_key credentials DB_PASSWORD_2 encryptionKey jwtSecret _authToken passphrase client-key-data APIKey connectionString dsn";
    expect(some.split(" ").filter((name) => fieldOf(name) === undefined)).toEqual([]);
  });

  promise("masking:readable", "placeholders, references and sentences stay", () => {
    const lines = [
      "password=${DB_PASSWORD} token=$(TOKEN) key={{ .Values.key }}",
      "password: <redacted> token=*** secret=[REDACTED]",
      "Enter password: ",
      "use --password to set it, --token or --api-key",
      'prompt("Password: ")',
      "password = getpass.getpass()",
      "token = self.token",
      "if password == None:",
      "func NewToken(token string, secret []byte) error {",
      "kubectl create secret generic db --from-file=password.txt",
      "https://example.com:8443/path@2x.png",
      "git@github.com:org/repo.git",
      "npm install @scope/package@1.2.3",
      "see https://example.com/docs/tokens#secret-token",
      "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
      "eyJhbGciOiJub25lIn0 is a header",
      "the Bearer token authentication scheme",
      "Basic authentication required",
      "SHA256:uNiVztksCsDhcc0u9e8BrrDmKlZ4hGZ4n1yTn8Xx0aA",
    ];
    expect(lines.map(maskText)).toEqual(lines);
  });
});
