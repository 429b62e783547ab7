// The places that checkpoints can be kept in.

export { fileAnchor } from "./file.ts";
export { gitAnchor, type GitPlace } from "./git.ts";
export { syslogAnchor } from "./syslog.ts";
