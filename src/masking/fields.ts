// Which names promise a secret: fields, variables, flags, headers and columns. Long because its word lists are data.

import { issuerAlone, issuerIn, looksIssued, type Issuer } from "./issuers.ts";
import { remembering } from "./memory.ts";
import type { MaskType } from "./token.ts";
import {
  holdsSomething,
  isBasic,
  isDescription,
  isFileName,
  isHexDigest,
  isPath,
  isPlaceholder,
  isPlainWord,
  isReference,
  isUuid,
  isVersion,
  looksLikeName,
  looksRandom,
  namesVariable,
} from "./values.ts";

/**
 * How far a name is believed. `sure`: whatever stands there is hidden. `nameable`: it may also be the name of a
 * Secret, which stays. `weak`: only what looks random is hidden. `issued`: it names a vendor alone, and only what looks
 * like that vendor's keys is hidden. `connection`: only its secret parts, where they can be told.
 */
export type Strength = "sure" | "nameable" | "weak" | "issued" | "connection";

export interface Field {
  readonly type: MaskType;
  readonly strength: Strength;
  /** Named as references are (`existingSecret`, `passwordKey`): the name of an object stays wherever it stands. */
  readonly refers?: true;
  /** The name is a plural (`tokens`): an object below it maps names to such values. */
  readonly many?: true;
  /** A short everyday word (`pass`, `pin`): in free text it needs `=` or quotes. */
  readonly shy: boolean;
  /** A salt or the like: no identifier, so that digests count as well. */
  readonly seasons?: true;
  /** Whose keys stand there. */
  readonly issuer?: Issuer;
}

/** Where a value stands: a variable or a Table cell goes by its name alone, an object's field may also hold a reference. */
export type Place = "variable" | "field" | "text";

const list = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/).filter((one) => one !== ""));

/** Words that say nothing about what kind of thing it is: passed over at the end of a name. */
const neutral = list(
  `value val string str text txt plain plaintext raw data b64 base64 encoded env var default new old current previous
   prod production dev staging test content contents confirm confirmation again repeat input literal inline header json base`,
);
/** Heads that make the thing a description of a secret, not the secret. */
const describing = list(
  `name names ref refs reference file files filename path paths dir directory folder url uri endpoint host hostname port
   type kind class length len size count counts num number limit limits max min ttl expiry expiration expires expired exp
   expire seconds minutes hours days ms timeout duration lifetime age period interval date time timestamp at policy
   policies enabled disabled enable disable required allowed optional present exists set version algorithm alg algo
   format formatter encoding prefix suffix field fields label labels hint hints template issuer audience namespace
   selector mount mounts volume provider providers store manager mode method methods source target strategy rotation
   rotate rotator renew renewal interval controller generator generation verifier validator validation review reviews
   request requests rule rules schema scope scopes status state error errors message reason index id ids uid arn usage
   user username email login owner group role binding account accountname parser tokenizer bucket queue topic
   fingerprint checksum digest sum sha sha1 sha256 md5 property properties placeholder strength complexity
   stdin attempts failures history reuse change changed reset prompt authentication auth_method subject annotation annotations
   keys_count pairs management encryption sync backend driver handler plugin operator crt cert certs certificate certificates
   ca pub sizebytes bits curve spec config configuration settings options opts list map item items column columns regex pattern
   yaml yml toml ini conf cfg properties md html xml sh py js go lock tf rb service services api apis server servers client`,
);
/** Modifiers that make a key or token public or of another trade. */
const harmless = list(
  `public pub publishable primary foreign partition partitioning sort cache object map label annotation index
   group hot page next continuation continue sync cancellation cancel resume eos bos pad unk mask special prompt
   completion max min num total count checksum digest sha sha1 sha256 md5 fingerprint automount idempotency
   dedup dedupe grouping join lookup i18n translation message event row column composite unique natural
   surrogate candidate host known trusted authorized etag cursor node toleration taint topology selector issue ssm kms
   arn measurement metric span trace correlation symbol lexer parser syntax keyboard press down up code`,
);
const counting = list("max min num total count");
const passwords = list(
  `password passwd passphrase passcode passwort kennwort contrasena contrasenia contraseña senha motdepasse wachtwoord
   parola haslo pwd pswd psw pword passw userpass rootpass dbpass adminpass mysqlpass requirepass masterauth sshpass
   adminpw adminpwd userpw pwhash authpass smtppass sslpass keypass storepass keystorepass truststorepass ftppass mnemonic seedphrase identified redispass bindpw bindpasswd rootpw`,
);
const shyPasswords = list("pass pw pin otp totp cvv cvc mdp");
const tokens = list(
  `token tokens tok jwt accesstoken refreshtoken authtoken idtoken sessiontoken bearertoken bearer apitoken usertoken
   oauthtoken authtok csrftoken xsrftoken webhooktoken bottoken logintoken securitytoken privatetoken jsessionid phpsessid pat`,
);
const wholeKeys = list(
  `apikey apikeys secretkey privatekey accesskey authkey encryptionkey masterkey signingkey psk presharedkey sshkey
   apisecret appkey accountkey storagekey sharedkey hmackey sharedaccesskey licensekey secretaccesskey deploykey
   servicekey subscriptionkey functionkey apicode fernetkey enckey privkey cryptkey unlockkey`,
);
/** What makes a `key` a secret one. */
const keyModifiers = list(
  `api access private priv secret encryption enc encrypt encrypting crypt crypto cipher decryption validation signing sign signature master auth
   authentication authorization account storage shared service client hmac aes des rsa dsa ecdsa ed25519 ssh tls ssl
   pgp gpg deploy deployment admin license licence jwt jwk jws jwe session cookie app application subscription write
   integration functions function webhook push recovery unseal root vault wireguard wg preshared psk consumer
   bootstrap gossip join server user customer merchant payment rest ingest ingestion instrumentation
   project team org db database redis mongo sql smtp mail s3 aws gcp azure fernet django flask rails laravel
   unlock activation install maps magic salt hash pepper kek dek wrapping wrap seal transit symmetric asymmetric pkcs pem rndc tsig nacl secretbox`,
);
const secretModifiers = list(
  `client app application consumer shared jwt api signing sign webhook oauth oauth2 oidc access session cookie encryption
   hmac master root user account db database bot hook internal totp otp mfa service auth0 okta google github gitlab
   slack stripe aws azure gcp facebook twitter discord django flask rails nextauth security channel partner merchant
   grafana erlang cookie minio s3 rpc cron preview revalidate revalidation turn turnstile recaptcha hcaptcha captcha
   registration sso saml cas my the this super top`,
);
/** What a salt or seed of is secret by its name alone. */
const seasoned = list("hash wallet secret security jwt auth session cookie crypt encryption token django");
const connections = list("dsn connectionstring connstring connstr conn connectionstrings");

const connection: Field = { type: "connection", strength: "connection", shy: false };
/** `secretKey`, `adminPasswordKey`: in custom resources mostly the name of an entry in a Secret. */
const entryKey: Field = { type: "api_key", strength: "nameable", shy: false, refers: true };
/** `existingSecret`, `credentialsSecret`: mostly a Secret's name. */
const objectName: Field = { type: "secret", strength: "nameable", shy: false, refers: true };
const manyTokens: Field = { type: "token", strength: "nameable", shy: false, many: true };
const manyPasswords: Field = { type: "password", strength: "sure", shy: false, many: true };
const entryNames = list("secret password token credential credentials");

/** Names that are remembered: how many, and how long. */
const most = { names: 4096, characters: 200 };

/** `fieldOf` with a bounded memory of the names that it has seen. */
export function rememberFields(): (name: string) => Field | undefined {
  const known = remembering((name) => ({ field: fieldOf(name) }), most.names, most.characters);
  return (name) => known(name).field;
}

/** Does a name promise a secret? `adminPassword`, `DB_PASS`, `client-key-data` do; `secretName`, `tokenTTL`, `public_key` don't. */
export function fieldOf(name: string): Field | undefined {
  return byWords(name) ?? oddlyCased(name);
}

/** `PAssword`, `SeCrEt`: a word that capitals part where no word ends. */
function oddlyCased(name: string): Field | undefined {
  const whole = name.slice(0, 200).toLowerCase();
  const word = /password|passwd|secret|token/.exec(whole)?.[0];
  if (word === undefined || wordsOf(name.slice(0, 200)).some((one) => one.includes(word))) return undefined;
  return byWords(whole);
}

function byWords(name: string): Field | undefined {
  const words = wordsOf(name.slice(0, 200));
  if (words.at(-2) === "connection" && /^strings?$/.test(words.at(-1) ?? "")) return connection;
  if (/^[a-z]\w*Key$/.test(name) && words.at(-1) === "key" && entryNames.has(words.at(-2) ?? "")) return entryKey;
  while (words.length > 1 && (neutral.has(words.at(-1) ?? "") || /^[0-9]+$/.test(words.at(-1) ?? ""))) words.pop();
  const head = words.at(-1);
  if (head === undefined) return undefined;
  const before = words.slice(0, -1);
  if (/^[a-z]\w*[a-z](?:Secret|Credential)s?$/.test(name) && !secretModifiers.has(before.at(-1) ?? ""))
    return objectName;
  if (/^(?:tokens|passwords|apikeys)$/.test(head) && !counting.has(words[0] ?? ""))
    return head === "passwords" ? manyPasswords : manyTokens;
  return (
    byHead(head, before) ??
    byHead(head.replace(/[0-9]{1,2}$/, ""), before) ??
    byPassword(words, head) ??
    byIssuer(words)
  );
}

function byHead(head: string, before: readonly string[]): Field | undefined {
  const is = (type: MaskType, strength: Strength, shy = false): Field => ({ type, strength, shy });
  const last = before.at(-1) ?? "";
  if (before.some((one) => one === "public" || one === "checksum" || one === "publishable")) return undefined;
  if (passwords.has(head) || /(?:password|passwd|passphrase|pwd)[0-9]?$/.test(head)) return is("password", "sure");
  if (shyPasswords.has(head)) return is("password", "sure", before.length === 0);
  if (head === "phrase" && /^(?:pass|seed|secret|recovery|backup|mnemonic)$/.test(last)) return is("password", "sure");
  if (/^(?:codes?|answer)$/.test(head) && /^(?:recovery|backup|scratch|security|secret)$/.test(last))
    return { ...is("secret", "nameable"), many: true };
  if (head === "hash" && before.some((one) => passwords.has(one))) return is("password_hash", "sure");
  if ((harmless.has(last) && !(last === "join" && head === "token")) || counting.has(before[0] ?? "")) return undefined;
  if (tokens.has(head) || /[a-z]token$/.test(head)) return is("token", head === "tokens" ? "nameable" : "sure");
  if (wholeKeys.has(head) || /(?:api|secret|private|access|encryption)keys?$/.test(head)) return is("api_key", "sure");
  if (head === "key" || head === "keys") return keyField(before);
  if (head === "secret" || head === "secrets" || /[a-z]secret$/.test(head)) {
    const owned =
      before.some((one) => secretModifiers.has(one)) || issuerIn(before) !== undefined || /[a-z]secret$/.test(head);
    return is("secret", owned ? "sure" : "nameable");
  }
  if (/^(?:cred|creds|credential|credentials)$/.test(head)) return is("credential", "nameable");
  if (head === "authorization") return is("authorization", "sure");
  if (head === "cookie" || head === "cookies") return is("cookie", "nameable");
  if (connections.has(head)) return connection;
  if (/^(?:salt|pepper|seed)$/.test(head) && before.some((one) => passwords.has(one) || seasoned.has(one)))
    return is("secret", "sure");
  if (head === "auth")
    return is("credential", last === "redis" || last === "rediscli" || last === "basic" ? "nameable" : "weak");
  if (/^(?:sig|signature|salt|pepper|seed|session|sessionid|sid|encrypt|privkey|keyring|nonce)$/.test(head))
    return weakField(head);
  return undefined;
}

function weakField(head: string): Field | undefined {
  if (head === "nonce") return undefined;
  if (head === "privkey" || head === "keyring") return { type: "private_key", strength: "nameable", shy: false };
  const seasons = /^(?:salt|pepper|seed)$/.test(head) ? ({ seasons: true } as const) : {};
  return { type: head.startsWith("sig") ? "signature" : "secret", strength: "weak", shy: false, ...seasons };
}

function keyField(before: readonly string[]): Field {
  const sure = before.some((one) => keyModifiers.has(one)) || issuerIn(before) !== undefined;
  const type = before.includes("private") ? "private_key" : before.includes("access") ? "access_key" : "api_key";
  return { type, strength: sure ? "sure" : "weak", shy: false };
}

/** A password word anywhere, under a head that is not known to describe (`password_db`), still promises one; others may. */
function byPassword(words: readonly string[], head: string): Field | undefined {
  if (describing.has(head) || /^[a-z]+(?:name|path|file|ref|url|id|type)$/.test(head)) return undefined;
  if (words.some((one) => harmless.has(one))) return undefined;
  if (words.some((one) => passwords.has(one))) return { type: "password", strength: "sure", shy: false };
  if (words.includes("secret") || words.includes("token")) {
    return { type: words.includes("secret") ? "secret" : "token", strength: "weak", shy: false };
  }
  return undefined;
}

/** `DATADOG`, `stripe.live`, `heroku_api`: a vendor's name alone promises no more than what looks like that vendor's keys. */
function byIssuer(words: readonly string[]): Field | undefined {
  const issuer = issuerAlone(words);
  return issuer === undefined ? undefined : { type: "api_key", strength: "issued", shy: false, issuer };
}

/** The words of a name in lower case: `adminPassword`, `DB_PASSWORD`, `db.admin-password`, `APIKey2`. */
export function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9\u00c0-\u024f]+/)
    .filter((one) => one !== "");
}

/** Must a value be hidden because of the name that it stands under? `connection` values are left to the text's own checks. */
export function hides(field: Field, value: string, place: Place): boolean {
  const head = value.slice(0, 4096);
  if (isPlaceholder(head.slice(0, 256)) || isReference(head) || !holdsSomething(head)) return false;
  if (isPublicKey(head) || isPath(head) || isFileName(head) || namesVariable(head) || isDescription(head)) return false;
  // What guards nothing: one or two characters, and of all but passwords a version.
  if (field.type === "password" ? /^[0-9]{1,2}$/.test(head) : head.length < 3 || isVersion(head)) return false;
  switch (field.strength) {
    case "sure":
      if (field.type === "password") return true;
      return !isSmallNumber(head) && (place === "variable" || field.type !== "api_key" || !isTerm(head));
    case "nameable":
      return place === "variable" && !field.refers
        ? !isSmallNumber(head)
        : !looksLikeName(head) && !isSmallNumber(head) && !isProse(head);
    case "weak":
      if (field.type === "credential" && (isBasic(head) || isUserAndPassword(head, place))) return true;
      if (field.seasons === true && head.length >= 24 && isHexDigest(head)) return true;
      return place === "variable" ? mayBeKey(head) : looksRandom(head, 12);
    case "issued":
      return field.issuer !== undefined && looksIssued(head, field.issuer);
    case "connection":
      return false;
  }
}

/** Certificates and public keys are shown whatever they are called. */
function isPublicKey(value: string): boolean {
  return /^(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S{1,24}) AAAA|^-----BEGIN (?:CERTIFICATE|PUBLIC KEY|RSA PUBLIC KEY|TRUSTED CERTIFICATE)-----(?![^]*PRIVATE)/.test(
    value,
  );
}

/** Two or three words that are joined: what code calls an entry (`TokenSecretKey = "token-secret"`). */
function isTerm(value: string): boolean {
  return value.length <= 28 && /^[a-z]{2,}(?:[-_.][a-z]{2,}){1,2}$/.test(value);
}

function isSmallNumber(value: string): boolean {
  return /^-?[0-9]{1,9}(?:\.[0-9]+)?(?:ms|s|m|h|d)?$/.test(value);
}

/** Several words with spaces, no digits: a description. */
function isProse(value: string): boolean {
  return /^[A-Za-z]+(?:[ ,.'-]+[A-Za-z]+)+[.!]?$/.test(value);
}

/** `user:password` or `user/password` in a variable called `…_AUTH`. */
function isUserAndPassword(value: string, place: Place): boolean {
  if (place !== "variable")
    return /^[A-Za-z][\w.]{1,31}:(?=[^\s/]*[0-9])(?=[^\s/]*[A-Za-z])[^\s/:,]{6,64}$/.test(value);
  return /^[\w.-]{1,64}[:/][^\s/][^\s]{2,}$/.test(value) && !/^[a-z]+:\/\//.test(value);
}

/** For a variable called `…_KEY`: anything but a word, a name, a path, an address, an id or a number. */
function mayBeKey(value: string): boolean {
  if (/[\s"'`{}<>[\]]/.test(value) || (isPlainWord(value) && value.length < 24)) return false;
  if (looksLikeName(value) || isUuid(value) || isSmallNumber(value)) return false;
  if (/^[A-Z][A-Z0-9_]*$/.test(value) && value.includes("_")) return false;
  if (/^[a-z][a-z0-9+.-]*:\/\//.test(value) || (/^\.{0,2}\//.test(value) && !looksRandom(value, 12))) return false;
  return value.length >= 8 && (!isHexDigest(value) || value.length >= 32);
}
