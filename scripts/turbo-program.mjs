import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The script that starts Turborepo: to be run by Node, so that no shell is needed on Windows. */
export const turbo = join(
  dirname(createRequire(import.meta.url).resolve("turbo/package.json")),
  "bin/turbo",
);
