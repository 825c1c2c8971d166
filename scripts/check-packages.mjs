// Lints what would be published: publint over the manifests, and attw over what types resolve to.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { run, pnpmCommand, ProgramError } from "./pack/programs.mjs";
import { publishedPackages, root } from "./pack/published-packages.mjs";
import { contentProblems, pack } from "./pack/tarballs.mjs";

const require = createRequire(import.meta.url);
const attw = join(dirname(require.resolve("@arethetypeswrong/cli/package.json")), "dist/index.js");
const { packageManager } = require(join(root, "package.json"));
const pnpm = pnpmCommand(packageManager);
const { signal } = new AbortController();

const into = await mkdtemp(join(tmpdir(), "streamgauge-check-"));
try {
  for (const published of await publishedPackages()) {
    const { manifest } = published;
    const { file, paths } = await pack(published, { into, pnpm, signal });
    const { buffer: tarball } = new Uint8Array(await readFile(join(into, file)));
    const { messages } = await publint({ pack: { tarball }, strict: true });
    const problems = [
      ...contentProblems(manifest, paths),
      ...messages.map((message) => `publint: ${formatMessage(message, manifest)}`),
    ];
    if (problems.length > 0) throw new ProgramError(problems.join("\n"));
    await run(process.execPath, [attw, join(into, file), "--profile", "esm-only", "--no-color"], {
      cwd: root,
      signal,
    });
    process.stderr.write(`${manifest.name}: publint and attw find nothing\n`);
  }
} catch (error) {
  if (!(error instanceof ProgramError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  await rm(into, { recursive: true, force: true });
}
