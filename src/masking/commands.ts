// Passwords on command lines that no flag's name tells: a word at its place, or a short flag of a program with many commands.

import { behind } from "./behind.ts";
import type { Check } from "./spans.ts";

/** `-p x` or `--password x` behind some words. */
const flagged = /^(?:[^\s|;&]{1,120} ){0,12}?(?:-p|--password)[ =]["']?([^\s"'|;&-][^\s"'|;&]{0,256})/;

/** Keywords with their checks, from the programs' own manuals. */
export const commands: readonly (readonly [keywords: readonly string[], check: Check])[] = [
  [["oc login ", "az login ", "az acr login ", "cf login ", "psexec "], behind(flagged)],
  [["vault login "], behind(/^(?:-[\w=-]{1,60} ){0,4}(?:token=)?([^\s=-][^\s=]{7,256})(?=$|\s)/)],
  [["7z a -p", "7z x -p", "7za a -p", "7za x -p"], behind(/^["']?([^\s"']{1,256})/)],
  [["mc alias set ", "mc config host add "], behind(/^(?:[^\s]{1,160} ){3}["']?([^\s"']{1,256})/)],
  [["--with-token <<<"], behind(/^ ?["']?([^\s"']{1,256})/)],
  [["net use "], behind(/^(?:[\w*]{1,2}:? )?\\{2,4}[^\s]{1,128} ([^\s/*][^\s]{0,128})(?= )/)],
  [["put-parameter "], behind(/^(?=[^\n]{0,400}SecureString)[^\n|;&]{0,300}?--value[ =]["']?([^\s"']{1,512})/)],
  [["mysqladmin "], behind(/^[^\n|;&]{0,120}? password ["']?([^\s"']{1,256})/)],
  [["rabbitmqctl add_user ", "rabbitmqctl change_password "], behind(/^["']?[^\s"']{1,64}["']? ["']?([^\s"']{1,256})/)],
  [["lftp -u "], behind(/^["']?[^\s,"']{1,64},([^\s"']{1,256})/)],
  [["npm config set "], behind(/^[^\s=]{0,128}(?:_authToken|_auth|_password)[ =]["']?([^\s"']{1,512})/i)],
  [["snmp-server community "], behind(/^([^\s]{1,64})(?= (?:ro|rw)\b)/i)],
  [["sonar.login="], behind(/^["']?([\w-]{32,64})(?![\w-])/)],
  // `user default on >x` (redis.io, ACL files).
  [["t on >"], behind(/^([^\s"']{1,256})/, true)],
];
