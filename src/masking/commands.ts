// Passwords on command lines that no flag's name tells: a word at its place, or a short flag of a program with many commands.

import { behind, reach, spanOf } from "./behind.ts";
import { nothing, type Check, type Scan, type Span } from "./spans.ts";

/** `-p x` or `--password x` behind some words. */
const flagged = /^(?:[^\s|;&]{1,120} ){0,12}?(?:-p|--password)[ =]["']?([^\s"'|;&-][^\s"'|;&]{0,256})/;

/** Keywords with their checks, from the programs' own manuals. */
export const commands: readonly (readonly [keywords: readonly string[], check: Check])[] = [
  [
    ["oc login ", "az login ", "az acr login ", "az sql server create ", "cf login ", "psexec ", "rdesktop "],
    behind(flagged),
  ],
  [["az keyvault secret set "], behind(/^(?:[^\s|;&]{1,120} ){0,8}?--value[ =]["']?([^\s"']{1,512})/)],
  [
    ["cf auth ", "nmcli dev wifi connect ", "wpa_passphrase "],
    behind(/^["']?[^\s"']{1,64}["']? (?:password )?["']?([^\s"'-][^\s"']{2,256})/),
  ],
  [
    [
      "vault operator unseal ",
      "cargo login ",
      "ngrok authtoken ",
      "snyk auth ",
      "ngrok config add-authtoken ",
      "gem push --key ",
      "poetry config pypi-token.pypi ",
    ],
    behind(/^["']?([\w./+=-]*[0-9][\w./+=-]{7,256})(?=["']?(?:$|\s))/),
  ],
  [["codecov -t ", "doctl auth init -t "], behind(/^["']?([^\s"']{8,256})/)],
  [["bundle config "], behind(/^(?:set (?:--\w{1,8} )?)?[\w.-]{1,80} [\w.-]{1,64}:([^\s"']{1,256})/)],
  [["unrar x -p", "unrar e -p", "rar a -p", "rar a -hp"], behind(/^["']?([^\s"']{2,256})/)],
  [["net user "], behind(/^["']?[\w.$-]{1,64}["']? ["']?([^\s"'/*][^\s"']{0,128})(?=["']? \/)/)],
  [["cmdkey ", "xfreerdp "], behind(/^[^\n|;&]{0,160}?\/p(?:ass)?:["']?([^\s"']{1,256})/)],
  [["schtasks "], behind(/^[^\n|;&]{0,240}?\/rp ["']?([^\s"'*][^\s"']{0,256})/i)],
  [["seradd "], behind(/^(?:[^\s|;&]{1,64} ){0,8}?(?:-p|--password)[ =]["']?([^\s"']{2,256})/, true)],
  [["rootpw --plaintext ", "insecure-password "], behind(/^["']?([^\s"']{2,256})/)],
  [["d-i passwd/"], behind(/^(?:root|user)-password(?:-again)? password ([^\s]{2,256})/)],
  [["demail "], behind(/^[^\n|;&]{0,240}?-xp ["']?([^\s"']{1,256})/, true)],
  [["add-generic-password ", "add-internet-password "], behind(/^[^\n|;&]{0,240}?-w ["']?([^\s"']{1,256})/)],
  [["cryptsetup ", "kinit ", "wrangler secret put "], behind(/^[^\n|;&<]{0,120}<<< ?["']?([^\n"']{1,256})/)],
  [["rocommunity ", "rwcommunity ", "rocommunity6 "], behind(/^([^\s]{4,64})/)],
  [["vault login "], behind(/^(?:-[\w=-]{1,60} ){0,4}(?:token=)?([^\s=-][^\s=]{7,256})(?=$|\s)/)],
  [["7z a -p", "7z x -p", "7za a -p", "7za x -p"], behind(/^["']?([^\s"']{1,256})/)],
  [["mc alias set ", "mc config host add "], behind(/^(?:[^\s]{1,160} ){3}["']?([^\s"']{1,256})/)],
  [["--with-token <<<"], behind(/^ ?["']?([^\s"']{1,256})/)],
  [["net rpc ", "net ads "], behind(/^[^\n|;&]{0,120}?-U ["']?[\w.\\]{1,64}%([^\s"']{1,256})/)],
  [["net use "], behind(/^[^\n|;&]{0,160}? \/user:[\w.\\$-]{1,64} ([^\s/"'][^\s"']{2,128})(?=$|\s)/)],
  [["net use "], behind(/^(?:[\w*]{1,2}:? )?\\{2,4}[^\s]{1,128} ([^\s/*][^\s]{0,128})(?= )/)],
  [["put-parameter "], behind(/^(?=[^\n]{0,400}SecureString)[^\n|;&]{0,300}?--value[ =]["']?([^\s"']{1,512})/)],
  [["mysqladmin "], behind(/^[^\n|;&]{0,120}? password ["']?([^\s"']{1,256})/)],
  [["rabbitmqctl add_user ", "rabbitmqctl change_password "], behind(/^["']?[^\s"']{1,64}["']? ["']?([^\s"']{1,256})/)],
  [["lftp -u "], behind(/^["']?[^\s,"']{1,64},([^\s"']{1,256})/)],
  [["npm config set "], behind(/^[^\s=]{0,128}(?:_authToken|_auth|_password)[ =]["']?([^\s"']{1,512})/i)],
  [["snmp-server community "], behind(/^([^\s]{1,64})(?= (?:ro|rw)\b)/i)],
  [["sonar.login="], behind(/^["']?([\w-]*[0-9][\w-]{7,64})(?![\w-])/, true)],
  // `user worker on >x` (redis.io, ACL files).
  [[" on >"], ruleOfUser],
  // Those of a Kafka login module for its own users (kafka.apache.org, "Authentication using SASL/PLAIN").
  [["loginmodule required", "loginmodule sufficient"], ownUsers],
  // postfix: `[mail.example.com]:587 user:x`.
  [["]:587 ", "]:465 ", "]:25 ", "=static:", "= static:"], behind(/^[ \t]{0,8}[\w.@+-]{1,80}:([^\s]{1,256})/, true)],
  // strongSwan's `: PSK "x"`.
  [[": psk "], behind(/^["']?([^\s"']{4,256})/i, true)],
  [["unt.key."], behind(/^[\w.-]{1,100}\s{0,4}[=:]\s{0,4}["']?([\w+/=-]{8,256})/, true)],
];

function ruleOfUser(scan: Scan, start: number, end: number): readonly Span[] {
  const before = scan.text.slice(Math.max(0, start - 96), start);
  return /(?:^|\s)user [^\s"']{1,64}(?: [^\s"']{1,24}){0,2}$/.test(before) ? rule(scan, start, end) : nothing;
}
const rule = behind(/^([^\s"']{1,256})/, true);

/** Of a login module the users that it keeps itself, each an option of its own, up to the semicolon. */
function ownUsers(scan: Scan, _start: number, end: number): readonly Span[] {
  const whole = scan.text.slice(end, end + reach);
  const options = whole.split(";", 1)[0] ?? whole;
  scan.work += options.length;
  return [...options.matchAll(/\buser_\w{1,64}=\\?"([^"\\\n]{1,256})/g)].flatMap((found) => {
    const value = found[1] ?? "";
    return spanOf(scan, end + found.index + found[0].length - value.length, value);
  });
}
