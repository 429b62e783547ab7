// Values that look random and are no secrets: an agent needs them, so none may be masked. Long because it is data.

import type { Dice } from "./random.ts";

const hex = "0-9a-f";

/** Classes of look-alikes, each a line or a field as it stands in manifests, tables and logs. */
export const lookalikes: { readonly [name: string]: (dice: Dice) => string } = {
  "image digest": (dice) => `image: registry.example.com/shop/api@sha256:${dice.pick(hex, 64)}`,
  "bare digest": (dice) => `sha256:${dice.pick(hex, 64)}`,
  "container id": (dice) => `containerID: containerd://${dice.pick(hex, 64)}`,
  uid: (dice) => `uid: ${[8, 4, 4, 4, 12].map((length) => dice.pick(hex, length)).join("-")}`,
  "resource version": (dice) => `resourceVersion: "${dice.pick("1-9", 9)}"`,
  "git sha": (dice) => `commit ${dice.pick(hex, 40)}`,
  "short sha": (dice) => `build ${dice.pick(hex, 7)} of main`,
  "template hash": (dice) => `pod-template-hash: ${dice.pick("bcdfghjklmnpqrstvwxz2456789", 10)}`,
  "pod name": (dice) => `api-${dice.pick("bcdf2456789", 9)}-${dice.pick("bcdf2456789", 5)}`,
  version: (dice) => `version: v1.${dice.roll(40)}.${dice.roll(20)}-rc.${dice.roll(4)}+build.${dice.pick(hex, 8)}`,
  timestamp: (dice) => `startedAt: "2026-01-0${1 + dice.roll(9)}T10:11:12.${dice.pick("0-9", 9)}Z"`,
  epoch: (dice) =>
    `ts=17${dice.pick("0-9", 8)}.${dice.pick("0-9", 6)} ns=17${dice.pick("0-9", 17)} ms=17${dice.pick("0-9", 11)}`,
  etag: (dice) => `ETag: W/"${dice.pick(hex, 32)}"`,
  "trace id": (dice) => `traceparent: 00-${dice.pick(hex, 32)}-${dice.pick(hex, 16)}-01`,
  "request id": (dice) => `x-request-id: ${dice.pick(hex, 32)}`,
  "secret name": (dice) => `secretName: shop-tls-${dice.pick("a-z0-9", 5)}`,
  "secret reference": () => `secretKeyRef: {name: db-credentials, key: password}`,
  "checksum annotation": (dice) => `checksum/secret: ${dice.pick(hex, 64)}`,
  "token settings": () => `tokenExpirationSeconds: 3607`,
  "public key": (dice) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${dice.pick("A-Za-z0-9+/", 43)} deploy@host`,
  "certificate data": (dice) =>
    `-----BEGIN CERTIFICATE-----\nMIID${dice.pick("A-Za-z0-9+/", 60)}\n-----END CERTIFICATE-----`,
  "service account path": () => `/var/run/secrets/kubernetes.io/serviceaccount/token`,
  "node name": (dice) => `ip-10-0-${dice.roll(256)}-${dice.roll(256)}.eu-west-1.compute.internal`,
  "volume handle": (dice) => `volumeHandle: vol-0${dice.pick(hex, 16)}`,
  "instance id": (dice) => `providerID: aws:///eu-west-1a/i-0${dice.pick(hex, 16)}`,
  arn: (dice) => `arn:aws:iam::${dice.pick("1-9", 12)}:role/eks-node-${dice.pick("a-z", 6)}`,
  quantity: (dice) => `memory: ${dice.roll(9999)}Mi cpu: ${dice.roll(999)}m`,
  "cache key": (dice) => `key=session:${dice.roll(9999)}:cart`,
  "partition key": () => `partitionKey: customerId`,
  "page token": (dice) => `nextPageToken: ${dice.pick("A-Za-z0-9", 24)}`,
  "continue token": (dice) =>
    `continue: ${Buffer.from(`{"v":"meta.k8s.io/v1","rv":${dice.pick("1-9", 6)},"start":"api-1\\u0000"}`).toString("base64url")}`,
  "account number": (dice) => `order ${dice.pick("1-9", 10)} invoice ${dice.pick("1-9", 12)}`,
  mac: (dice) => `link/ether ${Array.from({ length: 6 }, () => dice.pick(hex, 2)).join(":")}`,
  ipv6: (dice) => `addr fd00:${dice.pick(hex, 4)}:${dice.pick(hex, 4)}::${dice.pick(hex, 4)}`,
  "base64 text": () => `note: ${Buffer.from("the quick brown fox jumps over the lazy dog").toString("base64")}`,
  "java object": (dice) => `com.example.Token@${dice.pick(hex, 8)}`,
  "camel case": () => `key=ReconcileDeploymentController2Handler`,
  "go type": () => `*v1.Secret k8s.io/client-go/informers/factory.go:160`,
  url: (dice) => `https://example.com/assets/${dice.pick(hex, 20)}/app.js?v=${dice.roll(99)}#top`,
  "variable handed on": (dice) =>
    dice.one(["self.pwd = pwd", "tokens = countTokens", "apiKey: clientKey,", "token += nextChar", "$token->text("]),
  "go literal": (dice) =>
    dice.one(["calledWithToken = []string{}", "Key:    v1.TaintNodeUnschedulable,", "secrets = append(secrets, one)"]),
  "verb in a sentence": (dice) =>
    dice.one(["you can pass `autospec=True` to it", 'learned to pass "--quiet" down', "t.pass('ready emitted')"]),
  "description of a field": () => `"token": "token is the opaque bearer token that is sent to the server"`,
  "version of a package": (dice) => `"jsonwebtoken": "^${dice.roll(9)}.${dice.roll(9)}.0"`,
  "access key of a page": (dice) => `<a accesskey="${dice.pick("a-z", 1)}" href="index.html">`,
  "file name": () => `TLSKeySecretKey = "tls.key"`,
  "name of a variable": () => `--docker-password=DOCKER_PASSWORD`,
  "language compared": () => `if (token.value !== "class") return`,
  "table of settings": () => `| DB_PASSWORD | string | required |`,
  "logger and level": (dice) => `INFO:app.auth:trace_id=${dice.pick(hex, 32)}`,
  "reference with a demand": () => "password: ${DB_PASSWORD:?required}",
  "tag that refers": () => "2026-01-05 INFO rendering password: !Ref DBPassword",
  "refusal in another language": (dice) =>
    dice.one(["пароль неверный для alice", "contraseña incorrecta para alice", "密码错误"]),
  "test that passed": () => `PASS src/password.test.ts`,
  "vendor's trace": (dice) => `datadog.trace_id=${dice.pick(hex, 32)} datadog.span_id=${dice.pick(hex, 16)}`,
  "vendor's event": (dice) => `captured sentry event ${dice.pick(hex, 32)} of release ${dice.pick(hex, 40)}`,
  "vendor's digest": (dice) => `datadog: registry.example.com/datadog/agent@sha256:${dice.pick(hex, 64)}`,
  "vendor's object": (dice) =>
    `stripe customer cus_${dice.pick("A-Za-z0-9", 14)} charge ch_${dice.pick("A-Za-z0-9", 24)}`,
  "vendor's module": (dice) => `github.com/pusher/client v1.2.3 h1:${dice.pick("A-Za-z0-9+/", 43)}=`,
  "vendor's request": (dice) =>
    `heroku[router]: at=info request_id=${[8, 4, 4, 4, 12].map((length) => dice.pick(hex, length)).join("-")} dyno=web.1`,
  "public env": () => `NEXT_PUBLIC_STRIPE_KEY=pk_live_${"abcDEF0123456789".repeat(2)}`,
};
