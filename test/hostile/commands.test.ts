// Commands that would rather not look like what they are: by another name, another path, an option or another way to write an address.

import { expect } from "vitest";
import { commandRisks } from "../../src/kit/command-risks.ts";
import { promise } from "../support/promise.ts";

promise("hostile:command-disguise", "each of these is put to a person", () => {
  const disguises = [
    "busybox",
    "/bin/../bin/sh -c id",
    "env -S sh",
    "xargs sh",
    "find / -exec id ;",
    "awk BEGIN{system(1)}",
    "tar --checkpoint-action=exec=x",
    "ｓh",
    "/bin/static-sh",
    "bash-static",
    "busybox.static cat /x",
    "busybox-extras ping x",
    "sh.distrib",
    "zsh-5.8",
    "perl5.36-x86_64-linux-gnu -e 1",
    "original-awk x",
    "python3-dbg",
    "m4",
    "jq -n $ENV",
    "yq -n strenv(DSN)",
    "wget --use-askpass=/x http://a.example",
    "apt-get -o APT::Update::Pre-Invoke::=id update",
    "openssl engine -t /x.so",
    "pkexec x",
    "run-parts /x",
    "etcdctl get / --prefix",
    "grep -ra = /dev/fd/..",
    "cat /dev/./fd/../maps",
    "strings /dev/stdin/../auxv",
    "grep -r =",
    "curl http://0251.0376.0251.0376/",
    "curl http://[::ffff:a9fe:a9fe]/",
    "curl http://metadata/computeMetadata",
    "curl https://kubernetes/api",
  ];
  const silent = disguises.filter((words) => commandRisks(words.split(" ")).length === 0);
  expect(silent).toEqual([]);
});

promise("hostile:command-disguise", "and plain looks are not", () => {
  const plain = [
    "date",
    "nslookup db.shop.svc",
    "nslookup node-1.example.com",
    "cat /etc/nginx/nginx.conf",
    "grep -r listen /etc/nginx",
    "curl -s http://web:8080/healthz",
    "ls -la /app",
  ];
  expect(plain.map((words) => [words, commandRisks(words.split(" "))])).toEqual(plain.map((words) => [words, []]));
});
