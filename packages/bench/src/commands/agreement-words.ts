import type { Agreement } from "../run/agreement.js";

/** What the tables of `verify` say of a part. */
export const agreementWords: Readonly<Record<Agreement, string>> = {
  agrees: "ok",
  differs: "DIFFERS",
  unchecked: "-",
};

/** The exit code of `verify` by what it found. */
export const verifyExitCodes = { agrees: 0, differs: 1, nothing: 2 } as const;
