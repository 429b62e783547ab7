// The table of vendors' formats. Long because it is data: one row a shape, written from the vendors' own documents.

import { crcTail, hasCrcTail } from "./checksums.ts";
import { alnum, anyHex, b64, dotted, hex, row, url, type More } from "./format-row.ts";
import type { Format } from "./formats.ts";
import { furtherFormats } from "./formats-further.ts";
import { otherFormats } from "./formats-others.ts";

const withCrc: More = {
  checksum: hasCrcTail,
  example: (pick) => {
    const body = pick(alnum, 30);
    return `ghp_${body}${crcTail(body)}`;
  },
};

const parts = (separator: string, ...lengths: readonly (readonly [number, number])[]): ((value: string) => boolean) => {
  return (value) => {
    const found = value.split(separator);
    return (
      found.length === lengths.length && lengths.every(([min, max], at) => inside(found[at]?.length ?? 0, min, max))
    );
  };
};
function inside(length: number, min: number, max: number): boolean {
  return length >= min && length <= max;
}

const clouds: readonly Format[] = [
  row(
    "aws-access-key-id",
    "access_key",
    "AKIA ASIA ABIA ACCA",
    "A-Z2-7",
    16,
    "docs.aws.amazon.com IAM identifiers, unique ID prefixes",
    {
      companion: { body: "A-Za-z0-9/+", length: 40, near: 200 },
      negatives: ["AKIA_IS_A_PREFIX", "AKIA123", "ASIAPACIFICREGIONALOFFICES"],
    },
  ),
  row(
    "aws-session-token",
    "token",
    "IQoJb3JpZ2lu FwoGZXIvYXdz FQoGZXIvYXdz",
    b64,
    [80, 4096],
    "docs.aws.amazon.com STS, GetSessionToken",
    { glued: true },
  ),
  row("aws-bedrock-key", "api_key", "ABSK", b64, [100, 300], "docs.aws.amazon.com Bedrock, API keys"),
  row("aws-mws-token", "token", "amzn.mws.", "0-9a-f-", 36, "developer.amazonservices.com, authorisation tokens"),
  row("google-api-key", "api_key", "AIza", url, 35, "cloud.google.com, API keys", { negatives: ["AIzaSyTooShort"] }),
  row("google-oauth-secret", "secret", "GOCSPX-", url, 28, "developers.google.com, OAuth 2.0 clients"),
  row("google-access-token", "token", "ya29.", dotted, [20, 2048], "developers.google.com, OAuth 2.0 access tokens"),
  row("google-refresh-token", "token", "1//0", url, [38, 200], "developers.google.com, OAuth 2.0 refresh tokens"),
  row("google-sts-token", "token", "ya29.d. ya29.c.", dotted, [20, 2048], "cloud.google.com, Security Token Service"),
  row(
    "azure-storage-key",
    "access_key",
    "AccountKey= SharedAccessKey=",
    b64,
    [43, 88],
    "learn.microsoft.com, storage account keys",
    { context: true, glued: true },
  ),
  row(
    "azure-identifiable-key",
    "access_key",
    "JQQJ99",
    alnum,
    [20, 40],
    "learn.microsoft.com, common annotated security keys",
    { lead: { body: alnum, min: 40, max: 60 } },
  ),
  row(
    "azure-client-secret",
    "secret",
    "0Q~ 1Q~ 2Q~ 3Q~ 4Q~ 5Q~ 6Q~ 7Q~ 8Q~ 9Q~",
    "A-Za-z0-9_.~-",
    [31, 34],
    "learn.microsoft.com, Microsoft Entra client secrets",
    {
      lead: { body: "A-Za-z0-9_.~-", min: 3, max: 3 },
    },
  ),
  row("azure-devops-pat", "token", "AZDO", alnum, 4, "learn.microsoft.com, Azure DevOps personal access tokens", {
    lead: { body: alnum, min: 76, max: 76 },
  }),
  row(
    "azure-function-key",
    "api_key",
    "AzFu",
    "A-Za-z0-9_=-",
    [7, 12],
    "learn.microsoft.com, Azure Functions access keys",
    { lead: { body: url, min: 40, max: 44 } },
  ),
  row("digitalocean-token", "token", "dop_v1_ doo_v1_ dor_v1_", hex, 64, "docs.digitalocean.com, API tokens"),
  row("digitalocean-spaces", "access_key", "DO00", "A-Z0-9", 16, "docs.digitalocean.com, Spaces access keys", {
    companion: { body: "A-Za-z0-9/+", length: 43, near: 200 },
  }),
  row("cloudflare-key", "api_key", "cfk_ cfut_ cfat_", alnum, [40, 56], "developers.cloudflare.com, token formats"),
  row("cloudflare-origin-ca", "api_key", "v1.0-", "0-9a-f-", 171, "developers.cloudflare.com, Origin CA keys"),
  row("alibaba-access-key", "access_key", "LTAI", alnum, [12, 20], "alibabacloud.com, AccessKey pairs", {
    companion: { body: alnum, length: 30, near: 160 },
  }),
  row("tencent-secret-id", "access_key", "AKID", alnum, 32, "tencentcloud.com, API keys", {
    random: true,
    companion: { body: alnum, length: 32, near: 160 },
  }),
  row("yandex-key", "api_key", "AQVN", url, [35, 40], "yandex.cloud, API keys"),
  row("yandex-token", "token", "y0_ t1.9eu", dotted, [40, 300], "yandex.cloud, OAuth and IAM tokens"),
  row("linode-token", "token", "linode_pat_", alnum, [40, 80], "techdocs.akamai.com, Linode API tokens"),
  row("scaleway-key", "access_key", "SCW", "A-Z0-9", 17, "scaleway.com, API keys"),
  row("oracle-token", "token", "ocid1.authtoken.", dotted, [30, 200], "docs.oracle.com, auth tokens"),
  row("heroku-key", "api_key", "HRKU-", url, [36, 70], "devcenter.heroku.com, API tokens"),
  row("fly-token", "token", "fm1r_ fm2_ fm1a_ fo1_", b64 + "_,-", [40, 4096], "fly.io, access tokens"),
  row(
    "planetscale-secret",
    "password",
    "pscale_tkn_ pscale_pw_ pscale_oauth_",
    "A-Za-z0-9_.=-",
    [32, 64],
    "planetscale.com, service tokens",
  ),
  row("netlify-token", "token", "nfp_ nfc_ nfo_ nfu_ nfb_", alnum, [36, 64], "docs.netlify.com, access tokens"),
  row("vercel-token", "token", "vcp_ vci_ vca_ vcr_ vck_", alnum, [24, 80], "vercel.com, token formats"),
  row("render-key", "api_key", "rnd_", alnum, [28, 48], "render.com, API keys", { random: true }),
  row(
    "supabase-token",
    "token",
    "sbp_ sb_secret_",
    "A-Za-z0-9_-",
    [31, 64],
    "supabase.com, access tokens and API keys",
  ),
  row(
    "signed-session",
    "cookie",
    ".eJ",
    "A-Za-z0-9_.-",
    [30, 4096],
    "itsdangerous.palletsprojects.com, URL-safe timed serializer",
    {
      glued: true,
      shape: (value) => /^\.eJ[\w-]{20,4000}\.[\w-]{5,8}\.[\w-]{20,60}$/.test(value),
      example: (pick) => `.eJw${pick("A-Za-z0-9_-", 60)}.${pick("A-Za-z0-9_-", 6)}.${pick("A-Za-z0-9_-", 27)}`,
    },
  ),
  row("neon-key", "api_key", "napi_", alnum, [48, 80], "neon.com, API keys"),
  row("tailscale-key", "api_key", "tskey-", "A-Za-z0-9-", [20, 120], "tailscale.com, key prefixes"),
  row(
    "doppler-token",
    "token",
    "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.",
    dotted,
    [40, 80],
    "docs.doppler.com, token formats",
  ),
  row("infisical-token", "token", "st.", dotted, [70, 120], "infisical.com, service tokens", {
    shape: (value) => parts(".", [2, 2], [20, 40], [20, 70], [20, 70])(value),
    example: (pick) => `st.${pick(hex, 24)}.${pick(hex, 32)}.${pick(hex, 32)}`,
  }),
  row(
    "onepassword-service",
    "token",
    "ops_eyJ",
    "A-Za-z0-9+/=_-",
    [200, 2048],
    "developer.1password.com, service accounts",
  ),
  row("onepassword-secret-key", "private_key", "A3-", "A-Z0-9-", [31, 40], "support.1password.com, Secret Key", {
    random: true,
    shape: (value) => /^A3-[A-Z0-9]{6}-(?:[A-Z0-9]{5,11}-){3,5}[A-Z0-9]{5}$/.test(value),
    example: (pick) =>
      `A3-${pick("A-Z0-9", 6)}-${pick("A-Z0-9", 6)}-${pick("A-Z0-9", 5)}-${pick("A-Z0-9", 5)}-${pick("A-Z0-9", 5)}-${pick("A-Z0-9", 5)}`,
  }),
];

const code: readonly Format[] = [
  row(
    "github-token",
    "token",
    "ghp_ gho_ ghu_ ghs_ ghr_",
    "A-Za-z0-9_",
    [36, 255],
    "github.blog, Behind GitHub's new authentication token formats",
    {
      ...withCrc,
      negatives: ["ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "ghp_short", "the ghp_ prefix"],
    },
  ),
  row(
    "github-fine-grained",
    "token",
    "github_pat_",
    "A-Za-z0-9_",
    [82, 255],
    "docs.github.com, personal access tokens",
  ),
  row(
    "gitlab-token",
    "token",
    "glpat- gldt- glrt- glrtr- glcbt- glptt- glft- glimt- glagent- glsoat- glffct- glwt- gloas-",
    dotted,
    [20, 320],
    "docs.gitlab.com, token prefixes",
  ),
  row("gitlab-runner-registration", "token", "GR1348941", url, [20, 64], "docs.gitlab.com, runner registration tokens"),
  row("bitbucket-app-password", "password", "ATBB", alnum, [24, 40], "support.atlassian.com, app passwords"),
  row(
    "atlassian-token",
    "token",
    "ATATT3x ATCTT3x ATSTT3x",
    "A-Za-z0-9_=-",
    [60, 400],
    "support.atlassian.com, API tokens",
  ),
  row("npm-token", "token", "npm_", alnum, 36, "docs.npmjs.com, access tokens", {
    checksum: hasCrcTail,
    negatives: ["npm_config_registry", "npm_lifecycle_event"],
  }),
  row(
    "pypi-token",
    "token",
    "pypi-AgEIcHlwaS5vcmc pypi-AgENdGVzdC5weXBpLm9yZw",
    url,
    [50, 400],
    "pypi.org help, API tokens",
  ),
  row("rubygems-key", "api_key", "rubygems_", hex, 48, "guides.rubygems.org, API keys"),
  row("nuget-key", "api_key", "oy2", "a-z0-9", 43, "learn.microsoft.com, NuGet API keys"),
  row("crates-token", "token", "cio", alnum, 32, "doc.rust-lang.org, crates.io tokens", { random: true }),
  row("clojars-token", "token", "CLOJARS_", alnum, 60, "github.com/clojars, deploy tokens"),
  row(
    "packagist-token",
    "token",
    "packagist_ort_ packagist_out_ packagist_uut_ packagist_ack_",
    hex,
    68,
    "packagist.com docs, token format",
  ),
  row("docker-token", "token", "dckr_pat_ dckr_oat_", url, [27, 64], "docs.docker.com, access tokens"),
  row("jfrog-key", "api_key", "AKCp", alnum, [60, 80], "jfrog.com, API keys"),
  row("jfrog-reference", "token", "cmVmd", b64, [54, 84], "jfrog.com, reference tokens"),
  row("sonar-token", "token", "sqp_ squ_ sqa_", hex, 40, "docs.sonarsource.com, user tokens"),
  row("snyk-service", "token", "snyk_uat. snyk_sat.", dotted, [40, 200], "docs.snyk.io, authentication tokens"),
  row("sourcegraph-token", "token", "sgp_ slk_", "0-9a-f_", [40, 64], "sourcegraph.com, access tokens"),
  row("buildkite-token", "token", "bkua_ bkaj_ bkct_", alnum, [32, 120], "buildkite.com, access tokens"),
  row("circleci-token", "token", "CCIPAT_ CCIPRJ_", "A-Za-z0-9_", [60, 80], "circleci.com, API tokens"),
  row("harness-key", "api_key", "pat. sat.", dotted, [60, 100], "developer.harness.io, API keys", {
    shape: (value) => parts(".", [3, 3], [22, 22], [24, 24], [20, 20])(value),
    example: (pick) => `pat.${pick(alnum, 22)}.${pick(hex, 24)}.${pick(alnum, 20)}`,
  }),
  row("pulumi-token", "token", "pul-", hex, 40, "pulumi.com, access tokens"),
  row(
    "terraform-cloud",
    "token",
    ".atlasv1.",
    "A-Za-z0-9=_-",
    [60, 70],
    "developer.hashicorp.com, HCP Terraform API tokens",
    {
      lead: { body: alnum, min: 14, max: 14 },
    },
  ),
  row("vault-token", "token", "hvs. hvb. hvr.", url, [24, 400], "developer.hashicorp.com, Vault token prefixes"),
  row(
    "vault-legacy-token",
    "token",
    "vault:s. token=s. token:s. Token:s.",
    alnum,
    24,
    "developer.hashicorp.com, Vault token prefixes before 1.10",
    { context: true, glued: true, random: true },
  ),
  row("postman-key", "api_key", "PMAK-", "0-9a-fA-F-", 59, "learning.postman.com, API keys", {
    example: (pick) => `PMAK-${pick(hex, 24)}-${pick(hex, 34)}`,
  }),
  row("figma-token", "token", "figd_ figdr_ figo_ figor_", url, [40, 64], "developers.figma.com, access tokens"),
  row("linear-key", "api_key", "lin_api_ lin_oauth_ lin_wh_", alnum, [32, 64], "linear.app developers, API keys"),
  row("notion-key", "api_key", "ntn_", alnum, [43, 50], "developers.notion.com, authorization"),
  row("notion-legacy", "api_key", "secret_", alnum, 43, "developers.notion.com, authorization", { random: true }),
  row("readme-key", "api_key", "rdme_", "a-z0-9", 70, "docs.readme.com, API keys"),
  row(
    "sentry-token",
    "token",
    "sntrys_ sntryu_ sntrya_ sntryi_",
    "A-Za-z0-9+/=_-",
    [50, 400],
    "docs.sentry.io, auth tokens",
  ),
  row("newrelic-key", "api_key", "NRAK- NRII- NRRA- NRJS- NRIQ-", url, [18, 48], "docs.newrelic.com, API keys"),
  row("grafana-service", "token", "glsa_", "A-Za-z0-9_", [41, 48], "grafana.com, service account tokens", {
    example: (pick) => `glsa_${pick(alnum, 32)}_${pick(hex, 8)}`,
  }),
  row("grafana-cloud", "token", "glc_", b64, [32, 400], "grafana.com, Cloud access policies"),
  row("grafana-legacy-key", "api_key", "eyJrIjoi", "A-Za-z0-9=_-", [50, 400], "grafana.com, API keys"),
  row(
    "dynatrace-token",
    "token",
    "dt0c01. dt0s01. dt0s02. dt0s16. dt0e01.",
    "A-Za-z0-9.",
    89,
    "docs.dynatrace.com, token format",
    { example: (pick) => `dt0c01.${pick("A-Z2-7", 24)}.${pick("A-Z2-7", 64)}` },
  ),
  row(
    "honeycomb-key",
    "api_key",
    "hcaik_ hcalk_ hcxik_ hcxlk_ hcaic_ hcxmk_ hcamk_",
    "a-z0-9",
    [50, 64],
    "docs.honeycomb.io, API keys",
  ),
  row("axiom-token", "token", "xaat- xapt-", "0-9a-f-", 36, "axiom.co, API tokens"),
  row("launchdarkly-key", "api_key", "sdk- api-", "0-9a-f-", 36, "docs.launchdarkly.com, SDK keys", {
    shape: (value) => /^(?:sdk|api)-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(value),
    example: (pick) => `sdk-${pick(hex, 8)}-${pick(hex, 4)}-${pick(hex, 4)}-${pick(hex, 4)}-${pick(hex, 12)}`,
    negatives: ["sdk-core-1", "api-gateway-7bbd5678c7-78nqk"],
  }),
  row("infracost-key", "api_key", "ico-", alnum, 32, "infracost.io, API keys"),
  row("databricks-token", "token", "dapi", "0-9a-f-", [32, 36], "docs.databricks.com, personal access tokens", {
    negatives: ["dapi server", "dapi-7bbd5678c7"],
  }),
  row("databricks-secret", "secret", "dose", hex, 32, "docs.databricks.com, OAuth secrets"),
];

const business: readonly Format[] = [
  row(
    "slack-token",
    "token",
    "xoxb- xoxp- xoxa- xoxr- xoxs- xoxc- xoxd- xoxe- xoxe. xoxo- xwfp-",
    "A-Za-z0-9.%+/=-",
    [20, 400],
    "docs.slack.dev, token types",
  ),
  row("slack-app-token", "token", "xapp-", "A-Za-z0-9-", [30, 200], "docs.slack.dev, app-level tokens"),
  row(
    "slack-webhook",
    "webhook",
    "hooks.slack.com/services/ hooks.slack.com/workflows/ hooks.slack.com/triggers/",
    "A-Za-z0-9/_-",
    [30, 120],
    "docs.slack.dev, incoming webhooks",
    { context: true, glued: true },
  ),
  row(
    "discord-webhook",
    "webhook",
    "discord.com/api/webhooks/ discordapp.com/api/webhooks/",
    "A-Za-z0-9/_-",
    [60, 120],
    "discord.com developers, webhooks",
    { context: true, glued: true },
  ),
  row(
    "teams-webhook",
    "webhook",
    "webhook.office.com/webhookb2/ outlook.office.com/webhook/",
    "A-Za-z0-9@/_-",
    [60, 260],
    "learn.microsoft.com, Teams incoming webhooks",
    { context: true, glued: true },
  ),
  row(
    "zapier-webhook",
    "webhook",
    "hooks.zapier.com/hooks/catch/",
    "A-Za-z0-9/",
    [8, 40],
    "help.zapier.com, webhooks",
    { context: true, glued: true },
  ),
  row("telegram-bot", "token", ":AA", url, 33, "core.telegram.org, bot API", {
    lead: { body: "0-9", min: 8, max: 10 },
  }),
  row("discord-bot", "token", ["Bot M", "Bot N", "Bot O"], dotted, [50, 80], "discord.com developers, authentication", {
    shape: (value) => /^Bot [MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,40}$/.test(value),
    example: (pick) => `Bot M${pick(alnum, 23)}.${pick(alnum, 6)}.${pick(alnum, 27)}`,
  }),
  row(
    "stripe-key",
    "api_key",
    "sk_live_ sk_test_ rk_live_ rk_test_ sk_prod_ rk_prod_",
    alnum,
    [10, 250],
    "docs.stripe.com, API keys",
    { negatives: ["pk_live_0123456789abcdefABCDEF", "sk_live_"] },
  ),
  row("stripe-webhook", "secret", "whsec_", b64, [24, 90], "docs.stripe.com, webhook signatures"),
  row("square-token", "token", "sq0atp- sq0csp- sq0idp-", url, [22, 64], "developer.squareup.com, access tokens"),
  row("square-access", "token", "EAAA", url, [22, 64], "developer.squareup.com, access tokens", { random: true }),
  row(
    "paypal-braintree",
    "token",
    "access_token$production$ access_token$sandbox$",
    "a-z0-9$",
    [40, 60],
    "developer.paypal.com, Braintree access tokens",
  ),
  row(
    "plaid-token",
    "token",
    "access-sandbox- access-development- access-production-",
    "0-9a-f-",
    36,
    "plaid.com, access tokens",
  ),
  row("adyen-key", "api_key", "AQE", "A-Za-z0-9+/=-", [100, 200], "docs.adyen.com, API credentials", { random: true }),
  row("shopify-token", "token", "shpat_ shpca_ shppa_ shpss_ shpua_", "0-9a-fA-F", 32, "shopify.dev, access tokens"),
  row("flutterwave-key", "api_key", "FLWSECK-", alnum, [30, 48], "developer.flutterwave.com, API keys"),
  row("razorpay-key", "api_key", "rzp_live_ rzp_test_", alnum, [14, 24], "razorpay.com, API keys"),
  row("easypost-key", "api_key", "EZAK EZTK", alnum, 54, "docs.easypost.com, API keys"),
  row("shippo-token", "token", "shippo_live_ shippo_test_", anyHex, 40, "docs.goshippo.com, API tokens"),
  row("duffel-token", "token", "duffel_live_ duffel_test_", "A-Za-z0-9_=-", [40, 50], "duffel.com, access tokens"),
  row("sendgrid-key", "api_key", "SG.", "A-Za-z0-9=_.-", [60, 80], "docs.sendgrid.com, API keys", {
    random: true,
    example: (pick) => `SG.${pick(url, 22)}.${pick(url, 43)}`,
  }),
  row("mailgun-key", "api_key", "key-", hex, 32, "documentation.mailgun.com, API keys", {
    negatives: ["key-0123456789abcdef"],
  }),
  row(
    "mailchimp-key",
    "api_key",
    "-us1 -us2 -us3 -us4 -us5 -us6 -us7 -us8 -us9",
    "0-9",
    [0, 1],
    "mailchimp.com developer, API keys",
    { lead: { body: hex, min: 32, max: 32 }, negatives: ["node-us1", "region-us12"] },
  ),
  row("brevo-key", "api_key", "xkeysib- xsmtpsib-", "0-9a-zA-Z-", [70, 90], "developers.brevo.com, API keys"),
  row("resend-key", "api_key", "re_", "A-Za-z0-9_", [24, 40], "resend.com, API keys", {
    random: true,
    negatives: ["re_create_all_the_things_again_and_again"],
  }),
  row(
    "twilio-key",
    "api_key",
    "SK0 SK1 SK2 SK3 SK4 SK5 SK6 SK7 SK8 SK9 SKa SKb SKc SKd SKe SKf SKA SKB SKC SKD SKE SKF",
    anyHex,
    31,
    "twilio.com, API keys",
  ),
  row(
    "hubspot-token",
    "token",
    "pat-na1- pat-na2- pat-eu1- pat-ap1-",
    "0-9a-fA-F-",
    36,
    "developers.hubspot.com, private apps",
  ),
  row("contentful-token", "token", "CFPAT-", url, 43, "contentful.com, personal access tokens"),
  row("dropbox-token", "token", "sl.u. sl.B sl.A", url, [100, 2048], "dropbox.com developers, access tokens"),
  row("typeform-token", "token", "tfp_", "A-Za-z0-9=_.-", [40, 80], "typeform.com developers, personal access tokens"),
  row("facebook-token", "token", "EAACEdEose0cBA EAA", alnum, [80, 300], "developers.facebook.com, access tokens", {
    random: true,
  }),
  row("twitter-bearer", "token", "AAAAAAAAAAAAAAAAAAAAA", "A-Za-z0-9%", [60, 120], "developer.x.com, bearer tokens"),
  row("mapbox-secret", "token", "sk.eyJ", dotted, [60, 200], "docs.mapbox.com, access tokens"),
  row("prefect-key", "api_key", "pnu_ pnb_", alnum, 36, "docs.prefect.io, API keys"),
  row("airtable-token", "token", "pat", "A-Za-z0-9.", 79, "airtable.com developers, personal access tokens", {
    shape: (value) => /^pat[A-Za-z0-9]{14}\.[0-9a-f]{64}$/.test(value),
    example: (pick) => `pat${pick(alnum, 14)}.${pick(hex, 64)}`,
  }),
];

const models: readonly Format[] = [
  row(
    "openai-key",
    "api_key",
    "sk-proj- sk-svcacct- sk-admin- sk-None-",
    url,
    [20, 220],
    "platform.openai.com, API keys",
  ),
  row("anthropic-key", "api_key", "sk-ant-", url, [24, 140], "docs.anthropic.com, API keys"),
  row("openrouter-key", "api_key", "sk-or-v1-", hex, 64, "openrouter.ai, API keys"),
  row(
    "sk-key",
    "api_key",
    "sk-",
    url,
    [32, 200],
    "platform.openai.com, API keys; also used by vendors that follow it",
    { random: true, negatives: ["sk-learn-contrib-0-1-2", "disk-0123456789abcdef0123456789abcdef"] },
  ),
  row("sk-hex-key", "api_key", "sk-", hex, [32, 64], "api-docs.deepseek.com, API keys"),
  row("elevenlabs-key", "api_key", "sk_", hex, 48, "elevenlabs.io, API keys"),
  row("huggingface-token", "token", "hf_ api_org_", alnum, [34, 40], "huggingface.co, user access tokens", {
    negatives: ["hf_transfer", "hf_hub_download"],
  }),
  row("replicate-token", "token", "r8_", alnum, [37, 40], "replicate.com, API tokens"),
  row("groq-key", "api_key", "gsk_", alnum, [48, 60], "console.groq.com, API keys"),
  row("xai-key", "api_key", "xai-", alnum, [70, 90], "docs.x.ai, API keys"),
  row("perplexity-key", "api_key", "pplx-", alnum, [40, 60], "docs.perplexity.ai, API keys"),
  row("nvidia-key", "api_key", "nvapi-", url, [60, 80], "build.nvidia.com, API keys"),
  row("langsmith-key", "api_key", "lsv2_pt_ lsv2_sk_", "0-9a-f_", [40, 50], "docs.langchain.com, LangSmith API keys", {
    example: (pick) => `lsv2_pt_${pick(hex, 32)}_${pick(hex, 10)}`,
  }),
  row("pinecone-key", "api_key", "pcsk_", "A-Za-z0-9_", [50, 80], "docs.pinecone.io, API keys"),
  row("jina-key", "api_key", "jina_", url, [50, 70], "jina.ai, API keys"),
];

const systems: readonly Format[] = [
  row(
    "age-secret-key",
    "private_key",
    "AGE-SECRET-KEY-1",
    "A-Z0-9",
    58,
    "github.com/C2SP, the age file encryption format",
  ),
  row("openshift-token", "token", "sha256~", url, 43, "docs.openshift.com, OAuth access tokens"),
  row("rancher-token", "token", "token-", "a-z0-9:", 60, "ranchermanager.docs.rancher.com, API keys", {
    shape: (value) => /^token-[a-z0-9]{5}:[a-z0-9]{54}$/.test(value),
    example: (pick) => `token-${pick("a-z0-9", 5)}:${pick("a-z0-9", 54)}`,
  }),
  row("k3s-token", "token", "K10", "A-Za-z0-9:.", [66, 260], "docs.k3s.io, cluster tokens", {
    shape: (value) => /^K10[0-9a-f]{64}::[\w:.]+$/.test(value),
    example: (pick) => `K10${pick(hex, 64)}::server:${pick(hex, 32)}`,
  }),
  row("kubeadm-join", "token", ["--token "], "a-z0-9.", 23, "kubernetes.io, Bootstrap Tokens", {
    context: true,
    glued: true,
    shape: (value) => /^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(value),
    example: (pick) => `--token ${pick("a-z0-9", 6)}.${pick("a-z0-9", 16)}`,
  }),
  row("bcrypt-hash", "password_hash", "$2a$ $2b$ $2y$", "A-Za-z0-9./$", [54, 60], "man7.org, crypt(5)", {
    glued: true,
    example: (pick) => `$2b$10$${pick("A-Za-z0-9./", 53)}`,
  }),
  row("crypt-hash", "password_hash", "$6$ $5$ $1$ $y$ $7$ $gy$", "A-Za-z0-9./$=", [24, 180], "man7.org, crypt(5)", {
    glued: true,
    example: (pick) => `$6$${pick(alnum, 16)}$${pick("A-Za-z0-9./", 86)}`,
    shape: (value) => value.split("$").length >= 4,
  }),
  row("apr1-hash", "password_hash", "$apr1$", "A-Za-z0-9./$", [24, 34], "httpd.apache.org, password formats", {
    glued: true,
    example: (pick) => `$apr1$${pick(alnum, 8)}$${pick("A-Za-z0-9./", 22)}`,
  }),
  row(
    "argon2-hash",
    "password_hash",
    "$argon2id$ $argon2i$ $argon2d$ $scrypt$ $pbkdf2-sha256$ $pbkdf2-sha512$",
    "A-Za-z0-9+/=$,.-",
    [30, 300],
    "github.com/P-H-C, PHC string format",
    { glued: true },
  ),
  row(
    "django-hash",
    "password_hash",
    "pbkdf2_sha256$ pbkdf2_sha1$",
    "A-Za-z0-9+/=$.",
    [40, 160],
    "docs.djangoproject.com, password management",
  ),
  row(
    "ldap-hash",
    "password_hash",
    "{SSHA} {SHA} {SSHA256} {SSHA512} {SMD5}",
    b64,
    [24, 140],
    "rfc-editor.org, RFC 2307",
    { glued: true },
  ),
  row(
    "scram-hash",
    "password_hash",
    "SCRAM-SHA-256$ SCRAM-SHA-1$",
    "A-Za-z0-9+/=$:",
    [60, 240],
    "postgresql.org, pg_authid",
  ),
];

/** Every row that `default` looks for. */
export const formats: readonly Format[] = [
  ...clouds,
  ...code,
  ...business,
  ...models,
  ...systems,
  ...furtherFormats,
  ...otherFormats,
];
