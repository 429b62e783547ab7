// Which commands need a person whatever a rule allows: those that can run anything, tell the environment, or reach for credentials. It errs on the side of asking.

/** Run whatever they are given: a look at their name says nothing about what they do. */
const shells =
  /^(?:(?:ba|da|a|z|k|mk|pdk|ok|lk|fi|c|tc|r|rba|nu|el|hu|sa|o|y|ya|po|static-)?sh|busybox|toybox|pwsh|powershell|cmd|command\.com|xonsh|elvish|ld-linux\S*|ld\.so|ld-musl\S*)$/;
const interpreters =
  /^(?:python|pypy|perl|ruby|irb|node|nodejs|deno|bun|php|lua|luajit|tclsh|wish|expect|ipython|qjs|janet|m4|bpftrace|gomplate|dockerize|(?:[gmn]|original-)?awk|java|jshell|groovy|kotlin|scala|clojure|erl|escript|iex|elixir|ghci|runghc|runhaskell|guile|racket|sbcl|rscript|r|julia|dotnet|go|gdb|lldb|strace|ltrace|perf|psql|mysql|mariadb|mongo|mongosh|sqlite|redis-cli|vi|vim|nvim|view|ex|ed|emacs|nano|less|more|man|make|cmake|git|tar|zip|rsync|sed|bc|dc)[\d.]*$/;
/** Run another program that stands further on, or as somebody else, or elsewhere. */
const launchers =
  /^(?:xargs|parallel|nohup|timeout|nice|ionice|chrt|taskset|setsid|setarch|linux\d\d|stdbuf|unbuffer|script|watch|time|sudo|su|doas|runuser|gosu|su-exec|setpriv|capsh|chroot|nsenter|unshare|ip|ssh|scp|sftp|kubectl|crictl|ctr|nerdctl|docker|podman|helm|systemd-run|at|batch|crontab|exec|eval|source|flock|dbus-run-session|start-stop-daemon|tini|dumb-init|entr|find|fd|socat|nc|ncat|netcat|telnet|runc|crun|bwrap|firejail|proot|fakeroot|pkexec|run-parts|chpst|softlimit|s6-\S+|ssh-agent|logrotate|cpulimit|torsocks|proxychains|valgrind|catchsegv|ldd|tcpdump|nmap|openssl|etcdctl|apt|apt-get|dpkg|rpm|yum|dnf|apk|pip|pipx|uv|uvx|npm|npx|pnpm|yarn|gem|bundle|cargo|composer|mvn|gradle|rake|conda|poetry)[\d.]*$/;
/** Options of harmless programs that start another. */
const starters =
  /^--(?:use-askpass|to-command|checkpoint-action|use-compress-program|compress-program|filter|rsh|pager|eval)(?:=|$)/;
const environment = /^(?:env|printenv|set|export|declare|typeset|compgen|direnv|strenv|getenv|envsubst)$/;

/** Parts of paths and words under which credentials lie. */
const credentials =
  /kube-?config|\.kube(?:\/|$)|token|secret|credential|passw(?:or)?d|\bshadow\b|private[-_]?key|id_(?:rsa|dsa|ecdsa|ed25519)|\.ssh(?:\/|$)|\.aws(?:\/|$)|\.azure(?:\/|$)|\.gnupg|gcloud|\.docker(?:\/|$)|\.netrc|\.pgpass|\.my\.cnf|\.npmrc|\.git-credentials|\.vault|\.env(?:\.|$)|\.(?:pem|key|p12|pfx|jks|keystore)$|serviceaccount|\/etc\/kubernetes|admin\.conf|wallet|vault/i;
/** The cloud's own address for credentials of the machine, and the API server's from inside a pod. */
const credentialServices =
  /169\.254\.(?:169\.254|170\.2)|fd00:ec2::254|metadata\.(?:google|azure)\.internal|metadata\.azure\.com|\bkubernetes\.default\b|0xa9fea9fe|\b2852039166\b|::ffff:a9fe:a(?:9fe|a02)|100\.100\.100\.200|^https?:\/\/(?:metadata|kubernetes)(?:[:/]|$)/i;
/** What of /proc says nothing about a process. */
const plainProc =
  /^\/proc\/(?:cpuinfo|meminfo|loadavg|uptime|version|stat|vmstat|diskstats|partitions|swaps|filesystems)$/;

/** Programs that list what is directly in a folder, and read nothing. */
const lister = /^(?:ls|dir|df|stat|du|test|readlink|realpath|basename|dirname)$/;

/** Why this command always needs a person, in our words; empty where nothing is known against it. */
export function commandRisks(command: readonly string[]): readonly string[] {
  const risks = new Set<string>();
  const [program = ""] = command;
  if (/[^\x21-\x7e]/.test(program)) risks.add("the program's name holds characters that may look like others");
  command.forEach((word, index) => {
    if (starters.test(word)) risks.add("an option of it starts another program");
    for (const name of namesIn(word).flatMap((one) => (index === 0 ? [one, stem(one)] : [one]))) {
      if (shells.test(name)) risks.add(`${shown(name)} is a shell: it runs whatever it is given`);
      else if (interpreters.test(name) && (index === 0 || !optional.test(name)))
        risks.add(`${shown(name)} is an interpreter or can run programs`);
      else if (launchers.test(name) && (index === 0 || !optional.test(name)))
        risks.add(`${shown(name)} can run other programs or reach other places`);
      else if (index === 0 && environment.test(name)) risks.add(`${shown(name)} tells the container's environment`);
      else if (environment.test(name) && name.includes("env"))
        risks.add(`${shown(name)} tells the container's environment`);
    }
    if (reachesProc(word)) risks.add("it reaches into /proc, where processes keep their environment");
    if (credentials.test(word) || credentials.test(plainPath(word)))
      risks.add("it names a place or a word of credentials");
    if (credentialServices.test(word) || credentialServices.test(plainUrl(word)))
      risks.add("it asks a service that gives out credentials");
  });
  const recurses = command.slice(1).some((word) => /^-[A-Za-z]*[rR]|^--(?:dereference-)?recursive/.test(word));
  const nowhere = command.slice(1).filter((word) => !word.startsWith("-")).length < 2;
  if (!isListing(command) && (command.slice(1).some((word) => holdsMounts(plainPath(word))) || (recurses && nowhere)))
    risks.add("it reads a folder in which tokens are mounted");
  return [...risks];
}

/** Common words that mean something else as an argument: of those only the program counts. */
const optional =
  /^(?:r|go|ed|ex|at|ip|time|view|more|less|man|batch|source|watch|make|script|find|exec|set|node|git|java)$/;

/** The last parts of all paths that a word may hold: `a=/bin/sh`, `;sh`, `$(sh)`. */
function namesIn(word: string): readonly string[] {
  return word
    .toLowerCase()
    .split(/[\s;|&=,:'"`$(){}<>\\[\]!]+/)
    .map((part) => part.slice(part.lastIndexOf("/") + 1).replace(/\.exe$/, ""))
    .filter((name) => name !== "");
}

/** `bash-static`, `perl5.36-x86_64-linux-gnu`: a program under a name of its own make. */
function stem(name: string): string {
  return name.replace(/[-._\d].*$/, "");
}

/** The address as a client reads it: numbers of any base as the dotted ones. */
function plainUrl(word: string): string {
  const url = word.includes("://") ? word : `http://${word}`;
  return URL.canParse(url) ? new URL(url).href : "";
}

function shown(name: string): string {
  return name.replaceAll(/[^a-z0-9._-]/g, "?").slice(0, 40);
}

/** The path without what names the same place in other words: `//`, `/./`, `/x/../`. */
function plainPath(word: string): string {
  const parts: string[] = [];
  for (const part of word.toLowerCase().split("/")) {
    if (part === "." || (part === "" && parts.length > 0)) continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}

function reachesProc(word: string): boolean {
  const path = plainPath(word);
  if (plainProc.test(path)) return false;
  // These are links into /proc.
  if (/\/dev\/(?:fd|stdin|stdout|stderr)\//.test(word.toLowerCase().replaceAll(/\/(?:\.?\/)*/g, "/"))) return true;
  return /(?:^|[\s=@'":/])(?:proc)(?:\/|$)/.test(path) || /(?:^|\/)environ$/.test(path);
}

/** Is it a folder above /var/run/secrets or /proc, or a way up to one? */
function holdsMounts(path: string): boolean {
  return ["", "/", "var", "/var", "/var/run", "/run", "run"].includes(path) || /^(?:\.\.\/?)+$/.test(path);
}

function isListing([program = "", ...words]: readonly string[]): boolean {
  const [name = ""] = namesIn(program);
  return lister.test(name) && !words.some((word) => /^-\w*R/.test(word) || word.startsWith("--recursive"));
}
