// What a password is called in languages whose words the keywords don't hold: the value behind such a name and a colon or sign of equality.

import { nothing, type Check, type Scan, type Span } from "./spans.ts";
import { plainForm, tokenEnd } from "./token.ts";

/** Latin-1, so that the keyword pass finds them. */
export const latinNames: readonly string[] = ["mot de passe", "contrase\u00f1a", "heslo"];
/** Beyond Latin-1: looked for in texts that hold such characters. */
const wideNames = "hasło|пароль|パスワード|密码|密碼|口令|비밀번호|סיסמה|κωδικός|كلمة المرور|รหัสผ่าน";
const value = "[\"']?\\s{0,4}[:=\\uff1a\\uff1d]\\s{0,4}[\"']?([^\\s\"',;<\\[]{4,256})";
const behind = new RegExp(`^${value}`);
const spoken = new RegExp(`(?:${wideNames})${value}`, "giu");

/** One of the Latin names at a hit. */
export const latinNameCheck: Check = (scan, _start, end) => {
  const found = behind.exec(scan.text.slice(end, end + 300));
  scan.work += 16;
  return found === null ? nothing : spanOf(scan, end + found[0].length, found[1] ?? "");
};

/** All of the others, in one bounded pass. */
export function spokenNames(scan: Scan): readonly Span[] {
  scan.work += scan.text.length;
  return [...scan.text.matchAll(spoken)].flatMap((found) =>
    spanOf(scan, found.index + found[0].length, found[1] ?? ""),
  );
}

/** A lone word of letters is more likely what is said about the password. */
function spanOf({ text }: Scan, end: number, found: string): readonly Span[] {
  const start = end - found.length;
  if (!/[0-9!@#$%^&*]/.test(found) || tokenEnd(text, start) === end) return nothing;
  return [{ start, end, type: "password", value: plainForm(found), why: "name:password" }];
}
