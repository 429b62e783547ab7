// How agents' accounts stand in tests that are about something else: nobody's is in the way.

import type { AccountStanding } from "../../src/identity/accounts.ts";

export const noAccounts: AccountStanding = () => "";
