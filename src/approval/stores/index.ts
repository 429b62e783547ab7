// The stores that approval requests can lie in.

import { openLowdbStore } from "./lowdb.ts";

export const stores = { lowdb: openLowdbStore };
