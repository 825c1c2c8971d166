// Removes what builds made, also files whose sources are gone: `tsc -b` leaves those, and a cache
// brings them back. `pnpm clean` builds again without the cache.
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
for (const parent of ["packages", "examples"]) {
  for (const name of await readdir(join(root, parent))) {
    await rm(join(root, parent, name, "dist"), { recursive: true, force: true });
  }
}
