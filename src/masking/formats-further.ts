// Further rows of the table of vendors' formats: platforms, interfaces and webhooks that came after. Long because it is data.

import { alnum, anyHex, b64, dotted, hex, row, url } from "./format-row.ts";
import type { Format } from "./formats.ts";

const capitals = "A-Z0-9";
const small = "a-z0-9";
const uuid = (pick: (body: string, length: number) => string): string =>
  [8, 4, 4, 4, 12].map((length) => pick(hex, length)).join("-");

/** Keys of Azure's services carry a mark at a fixed place, so that they can be told (learn.microsoft.com). */
function marked(id: string, mark: string, lead: number, body: number): Format {
  return row(
    `azure-${id}`,
    "access_key",
    mark,
    b64,
    [body, body + 3],
    "learn.microsoft.com, identifiable secrets of Azure services",
    { glued: true, lead: { body: "A-Za-z0-9+/", min: lead, max: lead } },
  );
}

const azure: readonly Format[] = [
  marked("storage-mark", "+ASt", 76, 6),
  marked("batch", "+ABa", 76, 6),
  marked("cosmos", "ACDb", 76, 6),
  marked("api-management", "+APIM", 76, 5),
  marked("event-hub", "+AEh", 33, 6),
  marked("service-bus", "+ASb", 33, 6),
  marked("relay", "+ARm", 33, 6),
  marked("iot", "AIoT", 33, 6),
  marked("redis", "AzCa", 33, 6),
  marked("container-registry", "+ACR", 42, 6),
  marked("search", "AzSe", 42, 6),
  row("azure-sas", "signature", "&sig= ?sig= ;sig=", b64, [43, 44], "learn.microsoft.com, shared access signatures", {
    context: true,
    glued: true,
  }),
];

const clouds: readonly Format[] = [
  row("aws-a3t", "access_key", "A3T", capitals, 17, "docs.aws.amazon.com, unique ID prefixes"),
  row("aws-appsync-key", "api_key", "da2-", small, 26, "docs.aws.amazon.com AppSync, API keys"),
  row("aws-bedrock-short", "api_key", "bedrock-api-key-", b64, [40, 4096], "docs.aws.amazon.com Bedrock, API keys"),
  row(
    "signed-url",
    "signature",
    "X-Amz-Signature= X-Goog-Signature= X-Amz-Signature%3D X-Goog-Signature%3D",
    anyHex,
    [64, 1024],
    "docs.aws.amazon.com and cloud.google.com, signed URLs",
    { context: true, glued: true },
  ),
  row("google-hmac-id", "access_key", "GOOG1", capitals, [18, 60], "cloud.google.com, HMAC keys", {
    companion: { body: "A-Za-z0-9/+", length: 40, near: 200 },
  }),
  row("google-bound-key", "api_key", "AQ.Ab8", url, [40, 60], "ai.google.dev, API keys"),
  row("firebase-server-key", "api_key", ":APA91b", url, 134, "firebase.google.com, Cloud Messaging", {
    lead: { body: url, min: 11, max: 40 },
  }),
  row("baidu-access-key", "access_key", "ALTAK", alnum, [19, 24], "cloud.baidu.com, access keys"),
  row("volcengine-access-key", "access_key", "AKLT", "A-Za-z0-9_=-", [40, 56], "volcengine.com, access keys"),
  row("yandex-static-key", "access_key", "YCAJE", url, 20, "yandex.cloud, static access keys"),
  row("yandex-static-secret", "secret", "YCM YCN YCO YCP", url, 37, "yandex.cloud, static access keys", {
    random: true,
  }),
  row("cloudflare-tunnel", "token", "eyJhIjoi", b64, [120, 320], "developers.cloudflare.com, tunnel tokens"),
  row("vercel-blob", "token", "vercel_blob_rw_", "A-Za-z0-9_", [40, 80], "vercel.com, Blob read-write tokens"),
  row("deno-token", "token", "ddp_ ddw_", alnum, 36, "docs.deno.com, access tokens"),
  row("runpod-key", "api_key", "rpa_", alnum, [40, 50], "docs.runpod.io, API keys"),
  row("scalingo-token", "token", "tk-us- tk-eu-", url, 48, "doc.scalingo.com, API tokens"),
  row("localstack-token", "token", "ls-", "A-Za-z0-9-", 36, "docs.localstack.cloud, auth tokens", {
    random: true,
    shape: (value) => /^ls-[A-Za-z0-9]{8}-(?:[A-Za-z0-9]{4}-){3}[A-Za-z0-9]{12}$/.test(value),
    example: (pick) => `ls-${pick(alnum, 8)}-${pick(alnum, 4)}-${pick(alnum, 4)}-${pick(alnum, 4)}-${pick(alnum, 12)}`,
  }),
  row("definednet-key", "api_key", "dnkey-", "A-Za-z0-9=_-", 79, "docs.defined.net, API keys"),
  row("netbird-token", "token", "nbp_", alnum, 36, "docs.netbird.io, access tokens"),
  row("portainer-token", "token", "ptr_", "A-Za-z0-9+/=_-", [32, 60], "docs.portainer.io, access tokens", {
    random: true,
  }),
];

const databases: readonly Format[] = [
  row("aiven-password", "password", "AVNS_", url, [15, 24], "aiven.io docs, service passwords"),
  row("clickhouse-cloud-key", "api_key", "4b1d", alnum, 38, "clickhouse.com docs, API keys", { random: true }),
  row("cockroach-key", "api_key", "CCDB1_", "A-Za-z0-9_", [56, 70], "cockroachlabs.com, API access"),
  row("dbt-token", "token", "dbtc_ dbtu_ dbts_", url, [30, 64], "docs.getdbt.com, account tokens"),
  row("mongodb-service-secret", "secret", "mdb_sa_sk_", url, [36, 64], "mongodb.com Atlas, service accounts"),
  row("neon-password", "password", "npg_", alnum, [12, 20], "neon.com, role passwords", {
    negatives: ["npg_config", "npg_dump_all_now"],
  }),
  row("xata-key", "api_key", "xau_", alnum, [40, 48], "xata.io, API keys"),
  row("weights-biases-key", "api_key", "wandb_v1_", url, [40, 90], "docs.wandb.ai, API keys"),
];

const code: readonly Format[] = [
  row("honeybadger-token", "token", "hbp_", alnum, 36, "docs.honeybadger.io, API keys"),
  row("checkly-key", "api_key", "cu_", hex, 32, "checklyhq.com docs, API keys"),
  row("contribsys-licence", "password", ["SYS__COM=", "SYS__COM: "], "0-9a-f:", 17, "github.com/sidekiq", {
    context: true,
    glued: true,
    shape: (value) => /^[0-9a-f]{8}:[0-9a-f]{8}$/.test(value),
    example: (pick) => `SYS__COM=${pick(hex, 8)}:${pick(hex, 8)}`,
  }),
  row(
    "devcycle-key",
    "api_key",
    "dvc_server_ dvc_client_ dvc_mobile_",
    "A-Za-z0-9_",
    [30, 64],
    "docs.devcycle.com, keys",
  ),
  row("endorlabs-key", "api_key", "endr+", alnum, 16, "docs.endorlabs.com, API keys"),
  row("firehydrant-token", "token", "fhb-", url, [30, 80], "docs.firehydrant.com, bot tokens"),
  row("gitlab-session", "cookie", "_gitlab_session=", hex, 32, "docs.gitlab.com, cookies", {
    context: true,
    glued: true,
  }),
  row(
    "inngest-key",
    "api_key",
    "signkey-prod- signkey-test- signkey-branch-",
    hex,
    [32, 64],
    "inngest.com, signing keys",
  ),
  row("octopus-key", "api_key", "API-", capitals, [25, 32], "octopus.com docs, API keys"),
  row("plane-key", "api_key", "plane_api_", hex, 32, "developers.plane.so, API keys"),
  row("postman-access-key", "api_key", "PMAT-", capitals, 26, "learning.postman.com, collection access keys"),
  row("rootly-token", "token", "rootly_", hex, 64, "docs.rootly.com, API keys"),
  row("segment-token", "token", "sgp_", alnum, 64, "segment.com docs, public API tokens"),
  row("settlemint-token", "token", "sm_aat_ sm_pat_ sm_sat_", alnum, [16, 64], "console.settlemint.com, access tokens"),
  row("stackhawk-key", "api_key", "hawk.", dotted, 41, "docs.stackhawk.com, API keys", {
    random: true,
    shape: (value) => /^hawk\.[\w-]{20}\.[\w-]{20}$/.test(value),
    example: (pick) => `hawk.${pick(alnum, 20)}.${pick(alnum, 20)}`,
  }),
  row("statsig-key", "api_key", "secret-", alnum, [40, 48], "docs.statsig.com, server secret keys", { random: true }),
  row("trigger-key", "api_key", "tr_prod_ tr_dev_ tr_stg_ tr_pat_", alnum, [20, 48], "trigger.dev docs, API keys"),
  row("unkey-key", "api_key", "unkey_", alnum, [20, 40], "unkey.com docs, root keys"),
  row(
    "unleash-token",
    "token",
    ":production. :development. :default.",
    hex,
    [48, 64],
    "docs.getunleash.io, API tokens",
    {
      lead: { body: "A-Za-z0-9_*[]-", min: 1, max: 60 },
    },
  ),
  row("valtown-token", "token", "vtwn_", alnum, [24, 40], "docs.val.town, API tokens"),
  row("wakatime-key", "api_key", "waka_", "0-9a-f-", 36, "wakatime.com, API keys", {
    example: (pick) => `waka_${uuid(pick)}`,
  }),
  row("zuplo-key", "api_key", "zpka_", "A-Za-z0-9_", [36, 60], "zuplo.com docs, API keys"),
];

const business: readonly Format[] = [
  row("adafruit-key", "api_key", "aio_", alnum, 28, "io.adafruit.com, API keys"),
  row("adobe-secret", "secret", "p8e-", url, [30, 40], "developer.adobe.com, OAuth credentials"),
  row("alchemy-key", "api_key", "alcht_", alnum, 30, "alchemy.com docs, API keys"),
  row("apify-token", "token", "apify_api_", "A-Za-z0-9-", [30, 46], "docs.apify.com, API tokens"),
  row("authress-key", "access_key", ".acc- .acc_", "A-Za-z0-9+/=_.-", [40, 160], "authress.io, service clients", {
    lead: { body: "A-Za-z0-9_.", min: 10, max: 48 },
    shape: (value) => /^(?:sc|ext|scauth|authress)_/.test(value),
    example: (pick) => `sc_${pick(small, 12)}.${pick(small, 4)}.acc-${pick(small, 12)}.${pick(alnum, 40)}`,
  }),
  row("clickup-token", "token", "pk_", "A-Z0-9_", [39, 43], "developer.clickup.com, personal tokens", {
    shape: (value) => /^pk_[0-9]{6,10}_[A-Z0-9]{32}$/.test(value),
    example: (pick) => `pk_${pick("1-9", 8)}_${pick(capitals, 32)}`,
  }),
  row("klaviyo-key", "api_key", "pk_", hex, [32, 34], "developers.klaviyo.com, private keys"),
  row("checkout-key", "api_key", "sk_sbox_", small, [20, 32], "checkout.com docs, API keys"),
  row("dashed-live-key", "api_key", "sk_live_ sk_test_", "A-Za-z0-9-", [36, 110], "developers.apideck.com, API keys", {
    random: true,
  }),
  row("live-key", "api_key", "live_", url, [30, 48], "docs.mollie.com, API keys; GoCardless and Lob have alike", {
    random: true,
    negatives: ["live_migration_of_instances_to_another_host_done"],
  }),
  row("discord-bot-id", "token", "MTA MTE MTI MTM MTQ", dotted, [50, 80], "discord.com developers, authentication", {
    shape: (value) => /^MT[AEIMQ][\w-]{20,25}\.[\w-]{6}\.[\w-]{27,40}$/.test(value),
    example: (pick) => `MTA${pick(alnum, 23)}.${pick(alnum, 6)}.${pick(alnum, 38)}`,
  }),
  row("dropbox-short", "token", "sl.", "A-Za-z0-9=_-", [120, 2048], "dropbox.com developers, access tokens", {
    random: true,
  }),
  row("fleetbase-key", "api_key", "flb_live_ flb_test_", alnum, [18, 32], "docs.fleetbase.io, API keys"),
  row("flutterwave-test", "api_key", "FLWSECK_TEST-", "A-Za-z0-9-", [12, 48], "developer.flutterwave.com, API keys"),
  row("flutterwave-cipher", "api_key", "FLWSECK_TEST", hex, 12, "developer.flutterwave.com, encryption keys"),
  row("frameio-token", "token", "fio-u-", "A-Za-z0-9=_-", 64, "developer.frame.io, tokens"),
  row("instagram-token", "token", "IGQVJ IGQWR IGAA", url, [90, 300], "developers.facebook.com, Instagram tokens"),
  row("intercom-token", "token", "dG9rO", b64, [50, 62], "developers.intercom.com, access tokens"),
  row("intra42-secret", "secret", "s-s4t2ud- s-s4t2af-", hex, 64, "api.intra.42.fr, applications"),
  row("jumpcloud-key", "api_key", "jca_", alnum, 36, "jumpcloud.com, API keys"),
  row("linkedin-secret", "secret", "WPL_AP1.", "A-Za-z0-9.=+/", [16, 40], "learn.microsoft.com, LinkedIn applications"),
  row("mailersend-token", "token", "mlsn.", hex, [40, 72], "developers.mailersend.com, API tokens"),
  row("maxmind-key", "api_key", "_mmk", "0-9", 0, "dev.maxmind.com, license keys", {
    lead: { body: "A-Za-z0-9_", min: 36, max: 36 },
  }),
  row("midtrans-key", "api_key", "Mid-server-", url, [20, 40], "docs.midtrans.com, access keys"),
  row("nightfall-key", "api_key", "NF-", alnum, 32, "help.nightfall.ai, API keys", { random: true }),
  row("onesignal-key", "api_key", "os_v2_app_ os_v2_org_", small, [60, 120], "documentation.onesignal.com, keys"),
  row(
    "onfido-token",
    "token",
    "api_live. api_sandbox. api_live_us. api_live_ca.",
    dotted,
    [40, 60],
    "documentation.onfido.com",
  ),
  row(
    "paddle-key",
    "api_key",
    "pdl_live_apikey_ pdl_sdbx_apikey_",
    "A-Za-z0-9_",
    [40, 70],
    "developer.paddle.com, API keys",
  ),
  row("paypal-access", "token", "A21AA", url, [70, 120], "developer.paypal.com, access tokens", { random: true }),
  row(
    "persona-key",
    "api_key",
    "persona_production_ persona_sandbox_",
    "0-9a-f-",
    36,
    "docs.withpersona.com, API keys",
  ),
  row("pinterest-token", "token", "pina_ pinr_ pinc_", alnum, [60, 120], "developers.pinterest.com, tokens"),
  row("polar-token", "token", "polar_oat_ polar_pat_ polar_whs_", alnum, [32, 48], "polar.sh docs, access tokens"),
  row("posthog-key", "api_key", "phx_ phs_", alnum, [36, 48], "posthog.com docs, personal API keys"),
  row("pubnub-secret", "secret", "sec-c-", b64, 48, "pubnub.com docs, secret keys"),
  row("ramp-secret", "secret", "ramp_sec_", alnum, [40, 56], "docs.ramp.com, authorization"),
  row("robinhood-key", "api_key", "rh-api-", "0-9a-f-", 36, "docs.robinhood.com, API keys", {
    example: (pick) => `rh-api-${uuid(pick)}`,
  }),
  row("salesforce-session", "token", "00D", "A-Za-z0-9!._", [80, 140], "developer.salesforce.com, sessions", {
    shape: (value) => /^00D[A-Za-z0-9]{12}![A-Za-z0-9._]{60,124}$/.test(value),
    example: (pick) => `00D${pick(alnum, 12)}!AQ${pick("A-Za-z0-9._", 94)}`,
  }),
  row("samsara-token", "token", "samsara_api_", alnum, [28, 36], "developers.samsara.com, API tokens"),
  row("scrapfly-key", "api_key", "scp-live- scp-test-", hex, 32, "scrapfly.io docs, API keys"),
  row("shopify-refresh", "token", "shprt_ shptka_", anyHex, 32, "shopify.dev, tokens"),
  row("stytch-secret", "secret", "secret-live- secret-test-", "A-Za-z0-9_=-", [30, 48], "stytch.com docs, secrets", {
    random: true,
  }),
  row("telnyx-key", "api_key", "KEY0", "A-Za-z0-9_-", [50, 58], "developers.telnyx.com, API keys", { random: true }),
  row("thunderstore-token", "token", "tss_", alnum, [30, 36], "thunderstore.io, API tokens"),
  row("trello-token", "token", "ATTA", anyHex, [70, 74], "developer.atlassian.com, Trello tokens"),
  row("ubidots-token", "token", "BBFF- BBUS-", alnum, 30, "docs.ubidots.com, tokens"),
  row("voiceflow-key", "api_key", "VF.DM. VF.WS. VF.", dotted, [40, 44], "docs.voiceflow.com, API keys", {
    random: true,
  }),
  row("webflow-token", "token", "ws-", hex, 64, "developers.webflow.com, site tokens"),
  row("woocommerce-key", "api_key", "ck_ cs_", hex, 40, "woocommerce.github.io, REST API keys"),
  row("zoho-token", "token", "1000.", "0-9a-f.", 65, "zoho.com, OAuth tokens", {
    shape: (value) => /^1000\.[0-9a-f]{32}\.[0-9a-f]{32}$/.test(value),
    example: (pick) => `1000.${pick(hex, 32)}.${pick(hex, 32)}`,
  }),
];

const models: readonly Format[] = [
  row("browserbase-key", "api_key", "bb_live_ bb_test_", url, [24, 40], "docs.browserbase.com, API keys"),
  row("cerebras-key", "api_key", "csk-", small, [40, 56], "inference-docs.cerebras.ai, API keys"),
  row("cursor-key", "api_key", "key_", hex, 64, "docs.cursor.com, API keys"),
  row("e2b-key", "api_key", "e2b_", hex, 40, "e2b.dev docs, API keys"),
  row("firecrawl-key", "api_key", "fc-", hex, 32, "docs.firecrawl.dev, API keys"),
  row("fireworks-key", "api_key", "fw_", alnum, [22, 28], "docs.fireworks.ai, API keys", { random: true }),
  row("helicone-key", "api_key", "sk-helicone-", "a-z0-9-", [28, 48], "docs.helicone.ai, API keys"),
  row("llamacloud-key", "api_key", "llx-", alnum, [44, 52], "docs.cloud.llamaindex.ai, API keys"),
  row("tavily-key", "api_key", "tvly-", url, [28, 44], "docs.tavily.com, API keys", { random: true }),
  row("together-key", "api_key", "tgp_v1_", url, [40, 48], "docs.together.ai, API keys"),
];

/** Addresses that anyone who has them may post to. */
const webhooks: readonly Format[] = [
  row(
    "chat-webhook",
    "webhook",
    "/open-apis/bot/v2/hook/ /cgi-bin/webhook/send?key=",
    "0-9a-f-",
    36,
    "open.larksuite.com and developer.work.weixin.qq.com, robots",
    { context: true, glued: true },
  ),
  row("ifttt-key", "api_key", "/with/key/", url, [16, 60], "ifttt.com, webhooks", { context: true, glued: true }),
  row(
    "make-webhook",
    "webhook",
    "hook.eu1.make.com/ hook.eu2.make.com/ hook.us1.make.com/ hook.us2.make.com/",
    small,
    [28, 40],
    "help.make.com, webhooks",
    { context: true, glued: true },
  ),
  row("netlify-hook", "webhook", "/build_hooks/", hex, 24, "docs.netlify.com, build hooks", {
    context: true,
    glued: true,
  }),
  row("ping-address", "webhook", "hc-ping.com/", "0-9a-f-", 36, "healthchecks.io docs, pinging", {
    context: true,
    glued: true,
  }),
];

export const furtherFormats: readonly Format[] = [
  ...azure,
  ...clouds,
  ...databases,
  ...code,
  ...business,
  ...models,
  ...webhooks,
];
