// Passwords and keys that only their place among a call's arguments tells: logins of libraries, signing, drivers.

import { behind } from "./behind.ts";
import type { Check } from "./spans.ts";

const gap = "\\s{0,4}";
/** An argument of any kind, without brackets inside but one pair, then a comma. */
const other = `[^,()\\n]{0,120}(?:\\([^()\\n]{0,80}\\)[^,()\\n]{0,40})?,`;
/** A quoted argument: `"x"`, `b"x"`, `Some("x")`, `[]byte("x")`. */
const quoted = `(?:\\[\\]byte\\(|Some\\(|[br@])?\\\\?["'\`]([^"'\`\\n\\\\]{3,256})(?=\\\\?["'\`])`;

/** The quoted argument behind `skipped` others. */
function argument(skipped: number, glued = false): Check {
  return behind(new RegExp(`^${gap}(?:${other}${gap}){${skipped}}${quoted}`), glued);
}

/** Keywords with their checks, from the libraries' own references; the keyword ends where the arguments begin. */
export const calls: readonly (readonly [keywords: readonly string[], check: Check])[] = [
  [["fernet(", "pbekeyspec(", "secretkeyspec(", "cookieparser(", "aes.new(", "aes.newcipher("], argument(0)],
  [["hmac256(", "hmac384(", "hmac512(", "newcookiestore("], argument(0)],
  [["bcrypt.hash(", "bcrypt.hashsync(", "bcrypt.compare(", "bcrypt.hashpw("], argument(0)],
  [["symmetricsecuritykey("], behind(/^[^"'\n]{0,64}"([^"\n]{3,256})(?=")/)],
  // The ends of createSecretKey and createHmac.
  [["tesecretkey("], argument(0, true)],
  [["tehmac("], argument(1, true)],
  // Python's hmac.new takes the key first, Go's the hash.
  [["hmac.new("], behind(new RegExp(`^${gap}(?:(?:sha|md)[\\w.]{1,12},${gap})?${quoted}`))],
  [
    [
      "login(",
      "authorization_basic(",
      "credentials::new(",
      "credentials.basic(",
      "oci_connect(",
      "jwt::encode(",
      "jwt::decode(",
      "signwith(",
      "aes.encrypt(",
      "aes.decrypt(",
      "aes_encrypt(",
      "aes_decrypt(",
      "pbkdf2_hmac(",
      "keystore.load(",
      "kmf.init(",
      "wifi.begin(",
      "wificlient.begin(",
      "supabase.createclient(",
      "basic_auth(",
      "setbasicauth(",
      "passwordauthentication(",
      "jwt.sign(",
      "jwt.verify(",
      "jwt.encode(",
      "jwt.decode(",
      "pgp_sym_encrypt(",
      "pgp_sym_decrypt(",
    ],
    argument(1),
  ],
  [
    [
      "plainauth(",
      "mysqli_connect(",
      "mysql_connect(",
      "mysqldb.connect(",
      "pymssql.connect(",
      "new mysqli(",
      "new pdo(",
      "getconnection(",
      "dbi->connect(",
      "ftp_login(",
      "ldap_bind(",
      "openssl_encrypt(",
      "openssl_decrypt(",
      "keyring.set_password(",
    ],
    argument(2),
  ],
  // The ends of what libraries call them: what they begin with begins too many other words.
  [
    [
      "stauth(",
      "tauthprovider(",
      "rpassword(",
      "_pw_set(",
      "l]::new(",
      "ecipheriv(",
      "r.createasync(",
      "passwordauthenticationtoken(",
      "credentials.create(",
      "ilandpassword(",
    ],
    argument(1, true),
  ],
  [["te_user(", "superuser(", "rt.connect(", "sh_hmac("], argument(2, true)],
  [["m_secret(", "m_slice(", "efrompassword("], argument(0, true)],
  [["secretcredential("], argument(2, true)],
  [["secretstring::new("], argument(0)],
  [["btoa(", "buffer.from("], behind(/^["'`][\w.@-]{1,64}:([^"'`\n$]{3,256})(?=["'`])/)],
  [["mysql_real_connect("], argument(3)],
  [["smtp.start("], argument(4)],
  [["basic_auth "], behind(new RegExp(`^["'][^"'\\n]{1,64}["'],${gap}${quoted}`))],
  [["convertto-securestring "], behind(new RegExp(`^(?:-string )?${quoted}`, "i"))],
  [["curlopt_password"], behind(/^\s{0,4},\s{0,4}["']([^"'\n]{1,256})/)],
  [["gin.accounts{"], behind(/^\s{0,16}"[^"\n]{1,64}":\s{0,4}"([^"\n]{1,256})/)],
  [["curlopt_userpwd"], behind(/^\s{0,4},\s{0,4}["'][^"':\n]{1,64}:([^"'\n]{1,256})/)],
  [["oracle.connect(", "oracledb.connect("], behind(/^["'][\w$#.]{1,64}\/([^\s@"']{1,128})/)],
  [["pragma key", "pragma hexkey"], behind(/^\s{0,4}=\s{0,4}["']{1,2}([^"'\n]{1,256})/)],
];
