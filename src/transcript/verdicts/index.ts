// The questions that verification answers from the files themselves.

export { checkBodies } from "./bodies.ts";
export { checkCompleteness } from "./completeness.ts";
export { checkExtent } from "./extent.ts";
export { checkFormat } from "./format.ts";
export { checkIntegrity } from "./integrity.ts";
export { checkOrder } from "./order.ts";
export { checkSemantics, type SemanticsCheck } from "./semantics.ts";
export { checkTime, tellsOfClock } from "./time.ts";
