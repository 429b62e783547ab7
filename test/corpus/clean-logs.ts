// Log lines without any secret, in eight common shapes: none of them needs masking. Long because it is data.

import type { Dice } from "./random.ts";

const hex = "0-9a-f";
const uuid = (dice: Dice): string => [8, 4, 4, 4, 12].map((length) => dice.pick(hex, length)).join("-");
const pod = (dice: Dice): string =>
  `${dice.one(["api", "web", "worker", "token-service", "secret-sync", "auth-proxy", "keycloak"])}-${dice.pick("a-z0-9", 9)}-${dice.pick("a-z0-9", 5)}`;
const address = (dice: Dice): string => `10.${dice.roll(256)}.${dice.roll(256)}.${dice.roll(256)}`;
const time = (dice: Dice): string =>
  `2026-0${1 + dice.roll(9)}-1${dice.roll(10)}T1${dice.roll(10)}:${10 + dice.roll(50)}:${10 + dice.roll(50)}.${dice.pick("0-9", 6)}Z`;

type Shape = (dice: Dice) => string;

/** Messages that speak of secrets without holding one. */
const about: readonly Shape[] = [
  () => "invalid token: token has expired",
  () => "authentication failed: invalid username or password",
  (dice) => `secret "${pod(dice)}" not found`,
  (dice) => `MountVolume.SetUp failed for volume "tls" : secret "${pod(dice)}-tls" not found`,
  (dice) => `couldn't find key password in Secret shop/${pod(dice)}`,
  () => "Password authentication is disabled; using public key",
  () => "rotating signing keys, next rotation in 24h0m0s",
  (dice) => `reconciled secret="shop/${pod(dice)}" in ${dice.roll(90)}ms`,
  (dice) => `cache miss key=user:${dice.roll(99999)}:profile ttl=300`,
  (dice) => `object stored key=${dice.pick(hex, 40)} size=${dice.roll(9999)}`,
  (dice) => `token refreshed, expires_in=3600 token_type=Bearer client_id=web-${dice.roll(9)}`,
  (dice) => `prompt_tokens=${dice.roll(5000)} completion_tokens=${dice.roll(900)} max_tokens=4096`,
  () => "passed 12 of 12 checks, bypass disabled",
  () => "no credentials provided, falling back to anonymous",
  (dice) => `Failed password for invalid user admin from ${address(dice)} port ${dice.roll(65535)} ssh2`,
  (dice) =>
    `Accepted publickey for deploy from ${address(dice)} port 50022 ssh2: RSA SHA256:${dice.pick("A-Za-z0-9", 43)}`,
  () => "--- PASS: TestTokenRefresh (0.02s)",
  () => "csrf token missing or incorrect",
  () => "unexpected token < in JSON at position 0",
  () => `syntax error near unexpected token "newline"`,
  () => "token: id-token permission is write",
  (dice) => `aws_credentials: source=InstanceProfile role=node-${dice.pick("a-z0-9", 5)}`,
  () => "you can pass 'utf8' as the encoding",
  () => "Enter password:",
  () => "password=",
  () => `curl -u "$USER:$PASS" https://example.com`,
  () => `mysql -u root -p"$MYSQL_ROOT_PASSWORD" -e "select 1"`,
  () => "docker login -u bot --password-stdin",
];

/** Ordinary messages with identifiers that look random. */
const plain: readonly Shape[] = [
  (dice) => `Pulling image "registry.example.com/shop/api@sha256:${dice.pick(hex, 64)}"`,
  (dice) =>
    `request completed status=200 duration=${dice.roll(900)}ms trace_id=${dice.pick(hex, 32)} span_id=${dice.pick(hex, 16)}`,
  (dice) => `Created container ${dice.pick(hex, 64)}`,
  (dice) => `deploying commit ${dice.pick(hex, 40)} to production`,
  (dice) => `Syncing pod ${pod(dice)} uid=${uuid(dice)}`,
  (dice) => `connection from ${address(dice)}:${dice.roll(65535)} accepted`,
  (dice) => `leader election: lock kube-system/${pod(dice)}_${uuid(dice)} acquired`,
  (dice) => `resourceVersion=${dice.pick("1-9", 9)} generation=${dice.roll(40)}`,
  () => "GC (Allocation Failure) 245760K->31231K(251392K), 0.0123456 secs",
  (dice) => `Kafka offset commit topic=orders partition=${dice.roll(12)} offset=${dice.pick("1-9", 8)}`,
  (dice) => `GET https://api.example.com/v1/orders/${uuid(dice)}?page=${dice.roll(9)}&sort=created_at 200`,
  (dice) => `uploaded s3://bucket-${dice.roll(9)}/backups/${dice.pick("0-9", 8)}/db.tar.gz etag=${dice.pick(hex, 32)}`,
  () => "at com.example.shop.OrderService.placeOrder(OrderService.java:142)",
  () => `File "/usr/lib/python3.12/site-packages/django/core/handlers/base.py", line 197, in _get_response`,
  (dice) => `user ${dice.roll(9999)} updated profile email preferences version=1.${dice.roll(30)}.${dice.roll(9)}`,
  (dice) => `WALRECEIVER restart_lsn=${dice.pick("0-9A-F", 1)}/${dice.pick("0-9A-F", 8)}`,
];

const message: Shape = (dice) => dice.one(dice.roll(4) === 0 ? about : plain)(dice);
const quote = (text: string): string => JSON.stringify(text);

/** The eight shapes. */
export const shapes: { readonly [name: string]: Shape } = {
  klog: (dice) => `I0105 10:11:12.${dice.pick("0-9", 6)}       1 controller.go:${dice.roll(900)}] ${message(dice)}`,
  json: (dice) =>
    `{"level":"info","ts":"${time(dice)}","logger":"app","msg":${quote(message(dice))},"trace_id":"${dice.pick(hex, 32)}","pod":"${pod(dice)}"}`,
  logfmt: (dice) =>
    `time="${time(dice)}" level=info component=sync msg=${quote(message(dice))} pod=${pod(dice)} attempt=${dice.roll(5)}`,
  access: (dice) =>
    `${address(dice)} - - [05/Jan/2026:10:11:12 +0000] "GET /static/app.${dice.pick(hex, 20)}.js?v=${dice.pick(hex, 8)} HTTP/1.1" 200 ${dice.roll(99999)} "https://shop.example.com/cart" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"`,
  java: (dice) =>
    `2026-01-05 10:11:12,${dice.pick("0-9", 3)} INFO  [http-nio-8080-exec-${dice.roll(20)}] c.e.shop.OrderService - ${message(dice)}`,
  python: (dice) => `2026-01-05 10:11:12,${dice.pick("0-9", 3)} - app.worker - WARNING - ${message(dice)}`,
  syslog: (dice) => `Jan  5 10:11:12 node-${dice.roll(20)} kubelet[${dice.roll(9999)}]: ${message(dice)}`,
  plain: (dice) => message(dice),
};
