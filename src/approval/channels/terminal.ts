// The channel to whoever watches this gateway's terminal: prints the card, and how it ended.

import { requestLine, requestText } from "../request-text.ts";
import type { Channel } from "./contract.ts";

/** `print` writes lines for a person; on stdio it must not be standard output, which belongs to the protocol. */
export function terminalChannel(print: (text: string) => void): Channel {
  return {
    name: "terminal",
    tell: (request) => {
      print(`APPROVAL ASKED\n${requestText(request)}\n`);
      return Promise.resolve();
    },
    update: (request) => {
      print(`${requestLine(request)}\n`);
      return Promise.resolve();
    },
  };
}
