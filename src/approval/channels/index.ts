// The channels that a request for approval can take to people.

import { terminalChannel } from "./terminal.ts";

export const channels = { terminal: terminalChannel };
