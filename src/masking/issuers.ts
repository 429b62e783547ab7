// Whose keys and secrets programs use: vendors whose name beside a value tells that it is a key. Long because it is data.

import { isUuid, looksRandom } from "./values.ts";

/** What a vendor's keys look like, where they look like what is no secret. */
export interface Issuer {
  /** Hexadecimal digits alone, as digests are. */
  readonly hex: boolean;
  /** UUIDs, as ids are. */
  readonly uuid: boolean;
}

const list = (words: string): readonly string[] => words.split(/\s+/).filter((one) => one !== "");

/** From the vendors' documents. Names that are everyday words are not among them. */
const hexadecimal = list(
  `adobe agora aircall algolia alphavantage ambee amplitude api2cart apiflash asana avaza bamboo basecamp billomat boostnote
   braintree buttercms captaindata clearbit cloudflare codeclimate codefresh cronitor dashscope datadog dd deepgram deepseek
   dehashed detectlanguage discord dnscheck elevenlabs etherscan facebook finicity flickr geocodio giphy gitter hellosign
   honeycomb iexcloud imgur infura ipinfo ipstack iterable jenkins klipfolio kucoin linear linode lob logdna logzio loyverse
   madkudu mailerlite mailgun mailtrap meaningcloud meraki metaapi mistral mixpanel moralis namecheap newsapi nicereply
   oanda openweather openweathermap pandadoc pdfshift pinata pipedrive pixabay planview poloniex pusher quicknode rebrandly
   recurly replicate ringover ritekit rollbar runrunit scraperapi scrapingant sendbird sendpulse sentry serpapi serper
   signalwire sinch spoonacular steam strava theoddsapi thinkific tmdb todoist trello twilio typesense uptimerobot veracode
   virustotal weatherapi webflow whitesource yelp youneedabudget zuora`,
);
const identifying = list(
  `airvisual anypoint apacta appcues appdynamics apptivo baseapi bitbucket blazemeter braze bugsnag bunny canny censys
   checkout cliengo cloudmersive codecov coinapi coinmarketcap customerio deepai deepl ditto elasticmail figma findl
   graphhopper heroku holidayapi hubspot insightly integromat kontent kucoin kylas langfuse launchdarkly loggly loginradius
   moosend nethunt nftport onesignal opsgenie pinecone postmark refiner saucelabs scaleway selectpdf sendbird shortcut
   signalwire smartystreets snyk splunk squarespace statuspage stormglass tatum text2data urlscan victorops vouchery
   worldpay yandex zenscrape zenserp`,
);
const others = list(
  `abbysale abuseipdb accuweather activecampaign adafruit adyen adzuna aeroworkflow ai21 airbrake airbyte airtable akeyless
   alconost alegra aletheiaapi alibaba alienvault aliyun allsports alpaca amadeus anthropic api2pdf apideck apifonica apify
   apilayer apimatic apiscience apollo appcenter appfollow appsflyer appsynergy appveyor artifactory assemblyai atlassian
   audd auth0 autodesk autoklose aviationstack aweber axiom axonaut aylien ayrshare backblaze bannerbear baremetrics baseten
   beamer beebole behance benchmarkemail besttime betterstack binance bitbar bitcoinaverage bitfinex bitly bitmex bitrise
   bitstamp bittrex blablabus blackduck blitapp blockchair blockcypher borgbase box branchio brandfetch brevo brightcove
   brightdata browserless browserstack browshot buddyns bugherd buildkite bybit calendarific calendly calorieninja
   campaignmonitor campayn capsulecrm carboninterface cashboard caspio centralstation cexio chargebee chatfuel checio
   checkly checklyhq checkmarx checkvist cicero circleci clickhelp clickup clinchpad clipdrop clockify closecrm cloudconvert
   cloudelements cloudinary cloudplan cloverly clustdoc codacy cohere coinbase coinlayer coinlib commercejs companyhub
   confluence confluent constantcontact contentful contentstack convertapi convertkit convier countrylayer coveralls crowdin
   crowdstrike cryptocompare currencycloud currencyfreaks currencylayer currencyscoop currentsapi customerguru cyberark
   cypress dailymotion dataiku datarobot debounce diffbot digitalocean dnsimple docraptor docusign doppler dovico dribbble
   dronahq drone droneci dropbox dwolla dynalist dynatrace dyspatch eagleeyenetworks easyinsight edamam elastic elasticemail
   enablex ethplorer etsy eventbrite everhour exchangerate exchangerates expo faceplusplus fakejson fastforex fastly
   fastspring fb feedier fetchrss fileio financialmodelingprep finnhub fivetran fixer flightapi flightstats flowflu
   flutterwave foursquare freshbooks freshdesk freshworks fullstory fusebill fxmarket gandi geckoboard gemini gengo geoapify
   geocodify getemails getgeoapi getgist getresponse getsandbox gitbook gitea github gitlab glassnode gocanvas gocardless
   godaddy gogs goodday grafana graphcms greynoise groq gyazo happyscribe hasura hcloud helpcrunch helpscout hereapi hetzner
   hightouch hiveage html2pdf huggingface hunter hybridanalysis hypertrack ibm ibmcloud iconfinder imagekit imagga imgbb
   imgix instana intercom intrinio intruder invoiceocean ipapi ipgeolocation ipifi ipify ipinfodb ipquality jfrog jira
   jotform jumio jumpcloud keycdn kickbox klarna klaviyo kochava kofi kraken languagelayer lastfm leadfeeder lemlist
   lessannoying lightstep linenotify linkedin liveagent locationiq logz lokalise looker luno mailboxlayer mailchimp mailjet
   mailmodo mailsac malwarebazaar mandrill mapbox mapquest maptiler marketstack mattermost mavenlink maxmind mediastack
   meistertask mesibo messagebird metrilo milvus mindmeister minio mixmax mollie moonclerk myintervals nasdaq neon nessus
   netlify neutrinoapi newrelic newscatcher nexmo ngrok notion nowpayments nozbe npm numverify nutritionix nylas nytimes
   okta okx omnisend onelogin onepagecrm onfido onwater oopspam openai opencage opencagedata openexchangerates opengraphr
   openrouter openuv optimizely ovh owlbot oxr oxylabs pagerduty pandascore papertrail paralleldots partnerstack pastebin
   patreon paymoapp paymongo paypal paystack pdfco pdflayer pendo peopledatalabs pepipost perplexity pexels pingdom pingone
   pinterest pipedream plaid planetscale planyo plivo porkbun positionstack postageapp posthog powrbot privateai proxycrawl
   purestake pushbullet pushover pypi qdrant qualaroo qualys quay qubole quickbooks quickmetrics rapid7 rapidapi rawg raygun
   razorpay readme reddit redislabs removebg repairshopr replit resend restpack ringcentral rocketreach ronin route4me rownd
   rudderstack runpod salesblink salescookie salesflare satismeter sauce scrapeowl scraperbox scrapersite scrapestack
   scrapfly scrapingbee screenshotapi screenshotlayer securitytrails sendgrid sendinblue serphouse serpstack sheety
   sherpadesk shipday shippo shodan shopify shotstack shutterstock signaturit signupgenius sigopt simplesat simvoly sirv
   siteleaf skrapp skybiometry smartsheet smartsheets smooch snapchat sonar sonarcloud sonarqube sonatype sparkpost
   sportsmonk spotify square squareapp sslmate stitchdata stockdata storecove storyblok storychief stripe stytch sugester
   sumo sumologic sumsub supabase supernotes surveyanyplace surveybot surveymonkey surveysparrow survicate swiftype
   tailscale taxjar teamcity teamgate technicalanalysisapi telegram telnyx tenable tenor testflight textmagic thousandeyes
   thunderforest thycotic ticketmaster tiingo tiktok tinypng tmetric toggl tomorrowio tomtom tradier travelpayouts travis
   travisci tumblr twelvedata twitch twitter tyntec typeform unplugg unsplash upcdatabase uplead uploadcare upstash upwave
   userstack vatlayer vercel veriff verimail veriphone versioneye vimeo visualcrossing vonage vpnapi vultr walkscore wandb
   wasabi weatherbit weatherstack weaviate webex webscraper webscraping wepay whoxy wistia wolfram wolframalpha woocommerce
   workos worksnaps workstack worldcoinindex worldweather xero yousign youtube zamzar zapier zendesk zenhub zenkit zeplin
   zerobounce zipapi zipbooks zipcodeapi zoom zyte`,
);

export const issuers: ReadonlyMap<string, Issuer> = new Map(
  [...hexadecimal, ...identifying, ...others].map((name) => [
    name,
    { hex: hexadecimal.includes(name), uuid: identifying.includes(name) },
  ]),
);

/** Words that may stand around a vendor's name and say no more than that a key follows (`DATADOG_API`, `stripe.live`). */
export const besideIssuers: ReadonlySet<string> = new Set(
  list(
    `api access auth authentication license licence app application prod production dev development staging stage test testing
   live sandbox integration service rest web server cloud io com org admin private default main v1 v2 v3 x key keys token
   tokens secret secrets credential credentials cred creds password pass client new config configuration settings account
   master write read ingest value val is the a`,
  ),
);

/** The issuer that one of the words names, or two in a row do (`NEW_RELIC`), or undefined. */
export function issuerIn(words: readonly string[]): Issuer | undefined {
  for (const [at, word] of words.entries()) {
    const found = issuers.get(word) ?? issuers.get(word + (words[at + 1] ?? ""));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The issuer that a name consists of, with nothing else but what may stand beside it. */
export function issuerAlone(words: readonly string[]): Issuer | undefined {
  const found = issuerIn(words);
  if (found === undefined) return undefined;
  const own = (word: string, at: number): boolean =>
    issuers.has(word) || issuers.has(word + (words[at + 1] ?? " ")) || issuers.has((words[at - 1] ?? " ") + word);
  return words.every((word, at) => besideIssuers.has(word) || own(word, at)) ? found : undefined;
}

/** Shorter keys are told by their names alone. */
const shortest = 16;
/** Numbers of an object (`cus_…`, `ch_…`), keys meant for everyone, versions, digests and public keys. */
const otherwise =
  /^[a-z]{1,8}_[A-Za-z0-9]{8,28}$|^pk[._-]|^pub(?:lic)?[._-]|^v?[0-9]+[.][0-9]+[.]|^(?:sha[0-9]{1,3}|md5|h1)[-_=]|^AAAA[A-Za-z0-9]{8}|^0x/;
const secretly = /^(?:sk|rk|api|key|live|test|secret|token|pat)_/;

/** Does the value look like a key of that vendor, and not like an id, a digest, a name or text in base64? */
export function looksIssued(value: string, issuer: Issuer): boolean {
  if (isUuid(value)) return issuer.uuid;
  if (/^[0-9a-fA-F]{24,}$/.test(value)) return issuer.hex;
  if (!/^[A-Za-z0-9+/_.~=-]+$/.test(value) || (otherwise.test(value) && !secretly.test(value))) return false;
  return looksRandom(value, shortest) && !spellsText(value);
}

/** Printable characters alone in base64. */
function spellsText(value: string): boolean {
  const bytes = Buffer.from(value.slice(0, 64), "base64").subarray(0, -1);
  return bytes.length > 8 && bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
}
