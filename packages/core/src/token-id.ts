import { integerCheck } from "./option-checks.js";

const check = integerCheck(0, 2 ** 31 - 1);

/** Whether a value can be a token's id. Ids cross threads as 32-bit integers. */
export function isTokenId(value: unknown): value is number {
  return check.accepts(value);
}
