/** Statements that have no test yet, in the order of the register. It only ever gets shorter. */
export const missing: readonly string[] = [];
