// What the tests hold of kubernetes/.

export const kubernetes = {
  "kubernetes:names-stay-names": {
    promise: "No name, namespace, selector or parameter can change which resource a request reaches",
    source: "kubernetes.md, Client",
  },
  "kubernetes:refusals-keep-the-value": {
    promise: "A refused input is answered with its path and rule, never with its value",
    source: "words.md, invalid_input",
  },
  "kubernetes:sent-is-asked": {
    promise: "What the API server will read from the final URL is what was asked, or nothing is sent",
    source: "kubernetes.md, Client; Attack surface",
  },
  "kubernetes:guard-sees-sent": {
    promise: "The guard sees each request as it is really sent, and can refuse it",
    source: "kubernetes.md, Attack surface",
  },
  "kubernetes:rehearsed-delete": {
    promise: "A rehearsed delete says so in its body too, where the API server looks",
    source: "Kubernetes API, DeleteOptions",
  },
  "kubernetes:headers-whole": {
    promise: "No header's value can begin another header or end the User-Agent's comment",
    source: "kubernetes.md, Client",
  },
  "kubernetes:audit-join": {
    promise: "Each request carries its call's Audit-ID and User-Agent",
    source: "kubernetes.md, Client",
  },
  "kubernetes:plain-paths": {
    promise: "Paths outside the resource tree reach the version, discovery and OpenAPI, and no resource",
    source: "kubernetes.md, Client",
  },
  "kubernetes:statuses": {
    promise: "Each refusal of the API server becomes its fault, in our own words",
    source: "tools.md, section 4",
  },
  "kubernetes:server-words-kept-back": {
    promise: "Nothing of a server's message passes but names, numbers, field paths and the admission quote",
    source: "kubernetes.md, Client",
  },
  "kubernetes:effect-known": {
    promise: "A write that may have been sent and was not answered leaves its effect unknown; nothing else does",
    source: "words.md; tools.md, section 4",
  },
  "kubernetes:writes-once": {
    promise: "A write is sent once; a read is sent once more when a kept connection died under it",
    source: "kubernetes.md, Client",
  },
  "kubernetes:bounded-answers": {
    promise: "An answer beyond its size or its time is given up, and its connection closed",
    source: "kubernetes.md, Client",
  },
  "kubernetes:abort-to-the-socket": {
    promise: "A call that is aborted leaves no connection behind that still works for it",
    source: "kubernetes.md, Grants",
  },
  "kubernetes:no-address": {
    promise: "No fault tells an agent the address of a cluster, nor anyone a token or a body",
    source: "words.md, What an agent sees",
  },
  "kubernetes:kept-alive": {
    promise: "Requests of one cluster share connections",
    source: "kubernetes.md, Client",
  },
  "kubernetes:tls": {
    promise:
      "The server's certificate is checked against the connection's CA and name, unless the kubeconfig itself says not to",
    source: "kubernetes.md, Client",
  },
  "kubernetes:proxy": {
    promise: "A connection with a proxy goes through it, and a proxy that refuses is asked once",
    source: "Kubernetes documentation, Organizing Cluster Access: proxy",
  },
  "kubernetes:one-kind": {
    promise: "Kind, plural, singular, short name, group and version resolve to exactly one resource, or are asked back",
    source: "kubernetes.md, Client",
  },
  "kubernetes:never-shadowed": {
    promise: "A custom resource never shadows a built-in kind",
    source: "kubernetes.md, Client",
  },
  "kubernetes:unknown-kind": {
    promise: "An unknown kind is answered with the nearest that exist",
    source: "tools.md, section 4",
  },
  "kubernetes:discovery-fresh": {
    promise:
      "Discovery is read once for all who ask, kept five minutes, and read again for an unknown kind at most each ten seconds",
    source: "kubernetes.md, Client",
  },
  "kubernetes:discovery-classic": {
    promise: "A server without aggregated discovery gives the same kinds",
    source: "kubernetes.md, Client",
  },
  "kubernetes:tables": {
    promise:
      "Lists come as server-side Tables whose cells are text, and custom resources through their printer columns",
    source: "kubernetes.md, Client",
  },
  "kubernetes:pages": {
    promise: "A paged list says where the next page begins and how many are left, where the server says it",
    source: "kubernetes.md, Client",
  },
  "kubernetes:logs-whole-lines": {
    promise: "Logs are cut between lines only, and the cut is told",
    source: "kubernetes.md, Streams; tools.md, logs_read",
  },
  "kubernetes:exec-words": {
    promise: "A command reaches its container word by word as it was given, or nothing is sent",
    source: "kubernetes.md, Streams; tools.md, pods_exec",
  },
  "kubernetes:exec-exit": {
    promise: "A command ends with its exit code, or with why it could not be run",
    source: "tools.md, pods_exec; KEP-4006",
  },
  "kubernetes:exec-bounded": {
    promise: "A command's output and time are bounded; beyond them its connection is closed and the cut told",
    source: "kubernetes.md, Streams",
  },
  "kubernetes:watch-newest": {
    promise: "Of a watched object only the newest state is kept, and a storm of changes costs no more than its bytes",
    source: "issue 4, Bad input: watch storms",
  },
  "kubernetes:watch-ends": {
    promise: "A watch that expires, breaks or says nothing sensible ends, and its end is told",
    source: "Kubernetes API concepts, Efficient detection of changes",
  },
  "kubernetes:kubeconfig": {
    promise: "Kubeconfigs give the connections that kubectl would use",
    source: "Kubernetes documentation, Organizing Cluster Access",
  },
  "kubernetes:kubeconfig-refused": {
    promise:
      "A kubeconfig that can't be used is refused with a sentence that names the file and the field, never a value",
    source: "issue 3, Bad input and faults",
  },
  "kubernetes:token-rotation": {
    promise: "A token file is read again when it is replaced",
    source: "Kubernetes documentation, Bound service account tokens",
  },
  "kubernetes:plugin-contained": {
    promise:
      "A credential plugin runs by absolute path, without a shell, with its own environment alone, for thirty seconds at most",
    source: "kubernetes.md, Client",
  },
  "kubernetes:plugin-once": {
    promise: "A credential plugin runs once for all who wait, and not again while its token is good",
    source: "kubernetes.md, Client",
  },
  "kubernetes:plugin-certificate": {
    promise: "A credential plugin's client certificate is shown without a token beside it, and renewed before it ends",
    source: "client.authentication.k8s.io/v1; kubernetes.md, Client",
  },
  "kubernetes:proxy-environment": {
    promise: "Without a proxy of its own a connection takes the one of the environment, by kubectl's rules",
    source: "issue 4, point 10; golang.org/x/net/http/httpproxy",
  },
  "kubernetes:plugin-output": {
    promise:
      "Only a whole ExecCredential with a token or certificate that still lives is taken, and what else a plugin says is kept back",
    source: "client.authentication.k8s.io/v1",
  },
  "kubernetes:in-cluster": {
    promise: "In a pod, the pod's own account and CA are used",
    source: "Kubernetes documentation, Accessing the API from a Pod",
  },
} as const;
