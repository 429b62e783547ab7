// What a password is called in languages whose words the keywords don't hold: the value behind such a name and a sign, a tag or the word for "is".

import { alphanumeric, within } from "./alphabet.ts";
import { nothing, type Check, type Scan, type Span } from "./spans.ts";
import { plainForm, tokenEnd } from "./token.ts";
import { isPlaceholder, isReference } from "./values.ts";

/** Latin-1, so that the keyword pass finds them; in names also without their accents and with `_` for the blank. */
export const latinNames: readonly string[] = (
  "mot de passe|mot_de_passe|motdepasse|mdp=|mdp:|contrase\u00f1a|contrasena|clave|senha|chave_secreta|cl\u00e9 api|cle_api|heslo|haslo|parola|parole|" +
  "passwort|kennwort|zugangsdaten|geheim|wachtwoord|l\u00f6senord|losenord|passord|adgangskode|salasana|jelsz\u00f3|jelszo|lozinka|geslo|" +
  "sifre|kata sandi|kata_sandi|katalaluan|mat_khau|password utente"
).split("|");
/** Beyond Latin-1: looked for in texts that hold such characters. */
const wideNames =
  "has\u0142o|\u015fifre|slapta\u017eodis|m\u1eadt kh\u1ea9u|пароль|пароля|парола|лозинка|токен|секрет|パスワード|暗証番号|密码|密碼|口令|密钥|密鑰|비밀번호|비번|암호|패스워드|" +
  "סיסמה|סיסמא|κωδικός|كلمة المرور|كلمة السر|رمز عبور|पासवर्ड|รหัสผ่าน";
/** A sign, or what says that the value is the one: also behind one or two words that say whose it is. */
const joint =
  "(?:(?: [\\p{L}\\w]{2,24}){0,2}[\"'*`]{0,3}\\s{0,4}(?:[:=\\uff1a\\uff1d]|=>)|(?:是|为|は|는|은)|\\s(?:ist|lautet|es|est|\u00e9|is|\u00e8|jest|\u2014|-)(?=\\s)|\\((?=\\S{1,64}\\)))\\s{0,4}";
const value = "(?:([\"'])([^\"'\\n]{4,256})\\1|[\"'`]?([^\\s\"'`,;<\\[()]{4,256}))";
const element = /^>([^<>\n]{4,256})<\//;
const behind = new RegExp(`^${joint}${value}`, "iu");
const spoken = new RegExp(`(?:${wideNames})(?:${joint}${value}|>([^<>\\n]{4,256})</)`, "giu");

/** One of the Latin names at a hit: a word, or the end of a name of several. */
export const latinNameCheck: Check = (scan, start, end) => {
  scan.work += 16;
  const { text } = scan;
  if (within(alphanumeric, text.charCodeAt(start - 1)) || within(alphanumeric, text.charCodeAt(end))) {
    // `claves`, `Passwortes`: other words, except where the keyword ends in its own sign.
    if (!/[=:]$/.test(text.slice(start, end))) return nothing;
  }
  const from = /[=:]$/.test(text.slice(start, end)) ? end - 1 : end;
  const rest = text.slice(from, from + 300);
  const found = behind.exec(rest);
  if (found !== null) return spanOf(scan, from + found[0].length, found[2], found[3]);
  const tag = text[start - 1] === "<" ? element.exec(rest) : null;
  return tag === null ? nothing : spanOf(scan, from + tag[0].length - 1, tag[1], undefined);
};

/** All of the others, in one bounded pass. */
export function spokenNames(scan: Scan): readonly Span[] {
  scan.work += scan.text.length;
  return [...scan.text.matchAll(spoken)].flatMap((found) => {
    const end = found.index + found[0].length;
    return found[4] === undefined ? spanOf(scan, end, found[2], found[3]) : spanOf(scan, end - 1, found[4], undefined);
  });
}

/** `end`: behind the value and its closing mark. A lone word of letters without quotes is more likely what is said about the password. */
function spanOf({ text }: Scan, end: number, quoted: string | undefined, bare: string | undefined): readonly Span[] {
  const found = quoted ?? bare ?? "";
  const start = quoted === undefined ? end - found.length : end - 1 - found.length;
  if (found === "" || tokenEnd(text, start) === start + found.length) return nothing;
  if (quoted === undefined && !/[0-9!@#$%^&*]/.test(found)) return nothing;
  if (isPlaceholder(found) || isReference(found) || /^[A-Za-z_$][\w$.]*\(/.test(found)) return nothing;
  return [{ start, end: start + found.length, type: "password", value: plainForm(found), why: "name:password" }];
}
