// More rows of the table of vendors' formats: keys with a beginning of their own, and those of machines and stores. Long because it is data.

import { alnum, anyHex, b64, dotted, hex, row, url } from "./format-row.ts";
import type { Format } from "./formats.ts";

const capitals = "A-Z0-9";
const small = "a-z0-9";
type Pick = (body: string, length: number) => string;
const uuid = (pick: Pick): string => [8, 4, 4, 4, 12].map((length) => pick(hex, length)).join("-");

/** Short keys are told from words by their digits, and where there are small letters by both cases. */
const numbered = (value: string): boolean => (value.match(/[0-9]/g)?.length ?? 0) >= 2;
const cased = (value: string): boolean => /[0-9]/.test(value) && /[A-Z]/.test(value) && /[a-z]/.test(value);

const clouds: readonly Format[] = [
  row("alibaba-sts-token", "token", "STS.", alnum, [20, 40], "alibabacloud.com, STS tokens", {
    shape: (value) => /[a-z]/.test(value),
  }),
  row("amazon-login-secret", "secret", "amzn1.oa2-cs.v1.", hex, 64, "developer.amazon.com, Login with Amazon"),
  row("aiven-token", "token", "aivenv1", "A-Za-z0-9+/=", [100, 600], "aiven.io docs, authentication tokens"),
  row("google-hmac-user", "access_key", "GOOG", capitals, 20, "cloud.google.com, HMAC keys", {
    shape: numbered,
    companion: { body: "A-Za-z0-9/+", length: 40, near: 200 },
  }),
  row("yandex-iam-token", "token", "t1.", "A-Za-z0-9_=.-", [100, 600], "yandex.cloud, IAM tokens", {
    shape: (value) => /^t1\.[\w-]{10,500}={0,2}\.[\w-]{86}={0,2}$/.test(value),
    example: (pick) => `t1.${pick(alnum, 100)}.${pick(alnum, 86)}`,
  }),
  row("baidu-cloud-key", "api_key", "bce-v3/ALTAK-", "A-Za-z0-9/", [50, 80], "cloud.baidu.com, API keys"),
  row("upcloud-token", "token", "ucat_", small, [24, 48], "developers.upcloud.com, API tokens", { random: true }),
  row("swarm-token", "token", "SWMTKN-1-", "a-z0-9-", [70, 80], "docs.docker.com, swarm join tokens"),
  row("swarm-unlock-key", "private_key", "SWMKEY-1-", "A-Za-z0-9+/", 43, "docs.docker.com, swarm autolock"),
  row("stateless-installation", "token", "ghs_", "A-Za-z0-9_.-", [256, 2048], "docs.github.com, installation tokens", {
    shape: (value) => /^ghs_[^.]{8,900}\.[^.]{20,1200}\.[^.]{20,900}$/.test(value),
    example: (pick) => `ghs_${pick("0-9", 7)}_eyJ${pick(url, 80)}.${pick(url, 200)}.${pick(url, 100)}`,
  }),
  row("confluent-secret", "secret", "cflt", "A-Za-z0-9+/", [56, 64], "docs.confluent.io, API secrets"),
  row("dynatrace-platform", "token", "dt0s16. dt0s08. dt0s06.", "A-Za-z0-9.", [70, 80], "docs.dynatrace.com, tokens", {
    example: (pick) => `dt0s16.${pick("A-Z2-7", 8)}.${pick("A-Z2-7", 64)}`,
  }),
  row("elastic-cloud-key", "api_key", "essu_", b64, [40, 160], "elastic.co docs, Elastic Cloud API keys"),
  row("datastax-token", "token", "AstraCS:", "A-Za-z0-9:", [85, 95], "docs.datastax.com, application tokens", {
    example: (pick) => `AstraCS:${pick(alnum, 24)}:${pick(hex, 64)}`,
  }),
  row("convex-deploy-key", "api_key", "|eyJ2MiI6I", b64, [40, 400], "docs.convex.dev, deploy keys", { glued: true }),
  row("qstash-token", "token", "eyJVc2VySUQiOi", b64, [80, 320], "upstash.com docs, QStash tokens"),
  row("appwrite-key", "api_key", "standard_", hex, 256, "appwrite.io docs, API keys"),
  row("depot-token", "token", "depot_project_ depot_user_ depot_org_", alnum, [40, 80], "depot.dev docs, tokens"),
  row("daytona-key", "api_key", "dtn_", hex, 64, "daytona.io docs, API keys"),
];

const code: readonly Format[] = [
  row("aikido-token", "token", "AIK_CI_ AIK_SECRET_ AIK_RUNTIME_", url, [40, 80], "help.aikido.dev, tokens"),
  row("block-protocol-key", "api_key", "b10ck5.", "0-9a-f.-", [32, 80], "blockprotocol.org docs, API keys"),
  row("buildkite-further", "token", "bkpat_ bkpt_ bkpi_ bkapt_", alnum, [32, 120], "buildkite.com, tokens", {
    random: true,
  }),
  row("chromatic-token", "token", "chpt_", hex, [12, 20], "chromatic.com docs, project tokens"),
  row("cfxre-key", "api_key", "cfxk_", "A-Za-z0-9_", [24, 40], "docs.fivem.net, registration keys"),
  row("cloudsmith-key", "api_key", "csa_", hex, 40, "help.cloudsmith.io, API keys"),
  row("configcat-key", "api_key", "configcat-sdk-", "A-Za-z0-9_/-", [46, 52], "configcat.com docs, SDK keys"),
  row(
    "datadog-prefixed",
    "api_key",
    "ddapp_ ddpat_ ddapi_ ddsat_ DDRCM_",
    "A-Za-z0-9_",
    [30, 200],
    "docs.datadoghq.com, API and application keys",
  ),
  row("doppler-further", "token", "dp.said. dp.stg. dp.srv.", alnum, [40, 44], "docs.doppler.com, token formats"),
  row("figma-further", "token", "figu_ figur_ figoh_ figor_", url, [36, 64], "developers.figma.com, tokens"),
  row("healthchecks-key", "api_key", "hcw_ hcr_", alnum, 28, "healthchecks.io docs, API keys"),
  row("incident-key", "api_key", "inc_", hex, 64, "api-docs.incident.io, API keys"),
  row("logicmonitor-token", "token", "lmb_ lma_", b64, [40, 160], "logicmonitor.com, API tokens", { random: true }),
  row("mergify-key", "api_key", "mka_", url, [40, 60], "docs.mergify.com, application keys"),
  row("newrelic-licence", "api_key", "FFFFNRAL", "A-Z", 0, "docs.newrelic.com, license keys", {
    lead: { body: hex, min: 28, max: 36 },
  }),
  row("newrelic-admin", "api_key", "NRAA-", alnum, [24, 32], "docs.newrelic.com, API keys"),
  row("n8n-key", "api_key", "n8n_api_", hex, [40, 80], "docs.n8n.io, API keys"),
  row("pangea-token", "token", "pts_", small, 32, "pangea.cloud docs, service tokens", { random: true }),
  row("openvsx-token", "token", "ovsxat_", "0-9a-f-", 36, "open-vsx.org, access tokens", {
    example: (pick) => `ovsxat_${uuid(pick)}`,
  }),
  row("palantir-token", "token", "eyJwbG50ciI6", dotted, [100, 2048], "palantir.com docs, tokens"),
  row("phase-token", "token", "pss_service: pss_user:", "A-Za-z0-9:", [60, 300], "docs.phase.dev, tokens"),
  row("pydantic-token", "token", "pylf_v1_ pylf_v2_", "A-Za-z0-9_", [40, 60], "logfire.pydantic.dev, write tokens"),
  row("raycast-token", "token", "rca_", hex, 64, "manual.raycast.com, access tokens"),
  row("retool-token", "token", "retool_", small, [24, 60], "docs.retool.com, access tokens", { random: true }),
  row("socket-token", "token", "sktsec_", "A-Za-z0-9_", [40, 80], "docs.socket.dev, API tokens"),
  row("sourcegraph-further", "token", "sgd_ slk_", hex, 64, "sourcegraph.com, access tokens"),
  row("statsig-console", "api_key", "console-", alnum, [40, 48], "docs.statsig.com, console keys", { random: true }),
  row("graph-key", "api_key", "user:gh.", "A-Za-z0-9_:-", [24, 100], "apollographql.com docs, API keys", {
    shape: (value) => {
      const [, tail = ""] = /^user:gh\.[0-9a-f-]{36}:([\w-]{22})$/.exec(value) ?? [];
      return cased(tail);
    },
    example: (pick) =>
      `user:gh.${[8, 4, 4, 4, 12].map((length) => pick(hex, length)).join("-")}:${pick("A-Z", 8)}${pick("0-9", 6)}${pick("a-z", 8)}`,
    negatives: ["user:gh.checkout:abcdefghijklmnopqrstuv"],
  }),
  row("cursor-prefixed", "api_key", "crsr_", hex, 64, "docs.cursor.com, API keys"),
];

const business: readonly Format[] = [
  row("airtable-oauth", "token", ".v1.", "A-Za-z0-9.", [40, 400], "airtable.com developers, OAuth tokens", {
    lead: { body: alnum, min: 17, max: 17 },
    shape: (value) => /^oaa[A-Za-z0-9]{14}\.v1\.[A-Za-z0-9.]{40,380}$/.test(value),
    example: (pick) => `oaa${pick(alnum, 14)}.v1.${pick(alnum, 12)}.${pick(alnum, 80)}`,
  }),
  row(
    "apify-further",
    "token",
    "apify_proxy_ apify_ui_ apify_integration_api_ apify_actor_run_api_ apify_run_api_ apify_webhook_",
    alnum,
    [28, 46],
    "docs.apify.com, tokens",
  ),
  row("asaas-key", "api_key", "$aact_", "A-Za-z0-9+/=_:", [40, 300], "docs.asaas.com, API keys", { glued: true }),
  row("africastalking-key", "api_key", "atsk_", hex, 64, "developers.africastalking.com, API keys"),
  row("builder-key", "api_key", "bpk-", hex, 32, "builder.io docs, private keys"),
  row("cal-key", "api_key", "cal_ cal_live_", hex, 32, "cal.com docs, API keys"),
  row("canada-notify-key", "api_key", "gcntfy-", "A-Za-z0-9_-", [70, 160], "notification.canada.ca, API keys"),
  row("canva-secret", "secret", "cnvca", url, [48, 56], "canva.dev docs, client secrets", { random: true }),
  row("close-key", "api_key", "api_", "A-Za-z0-9.", 45, "developer.close.com, API keys", {
    shape: (value) => /^api_[A-Za-z0-9]{22}\.[A-Za-z0-9]{22}$/.test(value),
    example: (pick) => `api_${pick(alnum, 22)}.${pick(alnum, 22)}`,
  }),
  row("courier-key", "api_key", "pk_prod_ pk_test_", capitals, 28, "courier.com docs, authorization", {
    shape: numbered,
  }),
  row("finage-key", "api_key", "API_KEY", capitals, 32, "finage.co.uk docs, API keys", { shape: numbered }),
  row("sandbox-token", "token", "sandbox_", url, [38, 48], "developer.gocardless.com, access tokens", { random: true }),
  row("bunq-key", "api_key", "sandbox_", hex, [40, 64], "doc.bunq.com, API keys"),
  row("lichess-token", "token", "lip_", alnum, [16, 24], "lichess.org api, access tokens", { shape: cased }),
  row("mandrill-key", "api_key", "md-", url, 22, "mailchimp.com developer, transactional API keys", { shape: cased }),
  row("mercadopago-token", "token", "APP_USR- TEST-", "0-9a-f-", [60, 80], "mercadopago.com developers, credentials", {
    shape: (value) => /^(?:APP_USR|TEST)-[0-9]{10,18}-[0-9]{6}-[0-9a-f]{32}-[0-9]{5,12}$/.test(value),
    example: (pick) => `APP_USR-${pick("0-9", 16)}-${pick("0-9", 6)}-${pick(hex, 32)}-${pick("0-9", 9)}`,
  }),
  row("nylas-key", "api_key", "nyk_v0_", alnum, [40, 80], "developer.nylas.com, API keys"),
  row("pipedream-key", "api_key", "pd_", hex, 32, "pipedream.com docs, API keys"),
  row("plain-key", "api_key", "plainApiKey_", "A-Za-z0-9_", [30, 120], "plain.com docs, API keys"),
  row("planning-center-token", "token", "pco_app_ pco_pat_ pco_tok_", alnum, [40, 80], "developer.planning.center"),
  row("seam-key", "api_key", "seam_", "A-Za-z0-9_", [24, 64], "docs.seam.co, API keys", { random: true }),
  row(
    "sk-underscore-key",
    "api_key",
    "sk_ sk_prod_ sk_dev_",
    url,
    [24, 128],
    "docs.commercejs.com; many vendors have alike",
    {
      random: true,
      negatives: ["sk_buff_alloc_with_frags_gfp_mask_order_0", "sk_learn_pipeline_model_v2"],
    },
  ),
  row("sk-underscore-hex", "api_key", "sk_", hex, [32, 128], "iexcloud.io docs; clearbit.com docs, secret keys"),
  row(
    "stripe-organization",
    "api_key",
    "sk_org_live_ sk_org_test_ ek_live_ ek_test_",
    alnum,
    [24, 250],
    "docs.stripe.com",
  ),
  row(
    "long-live-key",
    "api_key",
    "sk_live_ sk_test_ rk_live_ rk_test_",
    b64,
    [60, 300],
    "highnote.com docs, API keys",
    {
      random: true,
    },
  ),
  row("svix-key", "api_key", "testsk_", url, [32, 48], "docs.svix.com, API keys", { random: true }),
  row("twelvelabs-key", "api_key", "tlk_", capitals, [48, 56], "docs.twelvelabs.io, API keys"),
  row("twitch-oauth", "token", "oauth:", small, 30, "dev.twitch.tv, chat authentication", {
    context: true,
    shape: numbered,
  }),
  row(
    "workato-token",
    "token",
    "wrkatop- wrkaus- wrkeu- wrkjp- wrksg-",
    dotted,
    [40, 2048],
    "docs.workato.com, tokens",
  ),
];

const models: readonly Format[] = [
  row("composio-key", "api_key", "ak_", url, [20, 27], "docs.composio.dev, API keys", { shape: cased }),
  row("coze-token", "token", "pat_ sat_", alnum, 64, "coze.com docs, access tokens"),
  row("openai-session", "token", "sess-", alnum, 40, "platform.openai.com, session keys", { random: true }),
  row("runway-key", "api_key", "key_", hex, 128, "docs.dev.runwayml.com, API keys"),
  row("sindri-key", "api_key", "sindri_", alnum, [30, 64], "sindri.app docs, API keys"),
  row("voyage-key", "api_key", "pa-", url, [40, 48], "docs.voyageai.com, API keys", { random: true }),
];

const systems: readonly Format[] = [
  row("azure-learning-mark", "access_key", "+AMC /AM7", b64, [6, 9], "learn.microsoft.com, identifiable secrets", {
    glued: true,
    lead: { body: "A-Za-z0-9+/", min: 76, max: 76 },
  }),
  row("azure-management-mark", "access_key", "APIM", b64, [6, 9], "learn.microsoft.com, identifiable secrets", {
    glued: true,
    lead: { body: "A-Za-z0-9+/", min: 76, max: 76 },
  }),
  row("grafana-old-key", "api_key", "eyJrIjoi", "A-Za-z0-9+/=", [70, 400], "grafana.com, API keys"),
  row("extended-private-key", "private_key", "xprv yprv zprv tprv", "1-9A-HJ-NP-Za-km-z", 107, "bips.dev, BIP 32"),
  row("macaroon", "token", "0201036c6e64", anyHex, [100, 1000], "docs.lightning.engineering, macaroons"),
  row("minisign-key", "private_key", "RWRTY0Iy", b64, [150, 240], "jedisct1.github.io, minisign secret keys"),
  row("sealed-cookie", "cookie", "Fe26.2*", "A-Za-z0-9_*-", [100, 4096], "hapi.dev, iron"),
];

export const otherFormats: readonly Format[] = [...clouds, ...code, ...business, ...models, ...systems];
