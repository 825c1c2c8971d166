// Packs each package, installs the tarballs as a user does, and tries them:
//   pnpm test:pack [--node 20,22,24,26] [--keep]
// Needs the npm registry. Everything happens in a temporary folder.
import { cp, mkdtemp, mkdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { minVersion } from "semver";
import { parse } from "yaml";
import {
  checkTypes,
  consumerFiles,
  createProject,
  importEntries,
  installedManifest,
  installProject,
  runCommandLines,
  runModel,
} from "./pack/consumer-project.mjs";
import { documentedScripts, installedPackages, treeProblems } from "./pack/install-scripts.mjs";
import { followThePage, refusePackages } from "./pack/own-generator.mjs";
import { findNode, parseNodeVersions } from "./pack/node-versions.mjs";
import { ProgramError, pnpmCommand } from "./pack/programs.mjs";
import { publishedPackages, root } from "./pack/published-packages.mjs";
import { contentProblems, pack, sourceMapProblems } from "./pack/tarballs.mjs";

// Files of CUDA are several hundred megabytes.
const longestDownloadMs = 900_000;

// A peer that is not installed here: npm takes all of its packages for graphics cards too.
const tooLarge = "node-llama-cpp";

const command = new Command("test:pack")
  .description("Pack the packages, install the tarballs with npm and with pnpm, and try them.")
  .option(
    "--node <majors>",
    "Node versions to try them on (default: the running one)",
    parseNodeVersions,
  )
  .addOption(new Option("--only <part>", "only a part of it").choices(["own-generator"]))
  .option("--keep", "leave the temporary folder behind, and say where it is")
  .showHelpAfterError("Add --help for the options.")
  .parse();
const { node: nodeMajors, keep, only } = command.opts();

const stop = new AbortController();
// Not `once`: execa ends the process where nobody else listens any more.
for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => stop.abort());

const folder = await mkdtemp(join(tmpdir(), "streamgauge-pack-"));
try {
  await testPackages();
  tell("The packages can be published.");
} catch (error) {
  if (stop.signal.aborted) tell("Stopped.");
  else tell(error instanceof ProgramError ? error.message : (error?.stack ?? String(error)));
  process.exitCode = stop.signal.aborted ? 130 : 1;
} finally {
  if (keep) tell(`Left in ${folder}.`);
  else await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function testPackages() {
  const majors = nodeMajors ?? parseNodeVersions(process.versions.node.split(".")[0]);
  const { packageManager } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const pnpm = pnpmCommand(packageManager);
  const { signal } = stop;
  const packages = await publishedPackages();
  const entries = packages.flatMap((published) => published.entries);

  const into = join(folder, "tarballs");
  await mkdir(into);
  const packed = new Map();
  for (const published of packages) {
    const { name } = published.manifest;
    const tarball = await pack(published, { into, pnpm, signal });
    refuse(contentProblems(published.manifest, tarball.paths));
    packed.set(name, tarball);
    const kilobytes = (tarball.bytes / 1000).toFixed(0);
    tell(`packed ${name}: ${kilobytes} kB, ${tarball.paths.length} files`);
  }
  const tarballs = Object.fromEntries([...packed].map(([name, { file }]) => [name, file]));

  await testOwnGenerator(into, tarballs, packages);
  if (only === "own-generator") return;

  const projects = { npm: join(folder, "with-npm"), pnpm: join(folder, "with-pnpm") };
  const others = await otherDependencies(packages);
  const scripts = (await documentedScripts()).filter(({ name }) => name !== tooLarge);
  for (const [manager, project] of Object.entries(projects)) {
    tell(`installing with ${manager}…`);
    await createProject({ folder: project, tarballs, others, entries });
    await installProject(manager, { folder: project, download: false, pnpm, signal });
    for (const [name, { paths }] of packed) {
      refuse(await sourceMapProblems(join(project, "node_modules", name), paths));
      refuse(unresolvedVersions(await installedManifest(project, name)));
    }
    // The second is onnxruntime-web's, which only transformers.js asks for.
    await checkTree(project, { documented: scripts, copies: { "onnxruntime-common": 2 } });
    await checkTypes(project, { signal });
    tell(`${manager}: installed; types hold under nodenext (also required) and bundler`);
  }

  const alone = join(folder, "alone");
  await createProject({ folder: alone, tarballs, others: {}, entries });
  tell("installing without optional peers, with npm and every script…");
  const failure = await installAnyway({ folder: alone, pnpm, signal });
  if (failure === undefined) tell("npm: onnxruntime-node's script had nothing to fetch, or got it");
  else tell(`npm: onnxruntime-node's script failed, as it does without a network: ${failure}`);
  await installProject("npm", { folder: alone, download: false, pnpm, signal });
  const documented = scripts.filter(({ optional }) => !optional);
  await checkTree(alone, {
    documented,
    copies: { "onnxruntime-common": 1 },
    node: await oldestNode(),
  });
  await runModel(alone, { node: process.execPath, signal });
  tell("npm: installed with ONNXRUNTIME_NODE_INSTALL=skip; the model runs");

  for (const major of majors) {
    const { node, version } = await findNode(major, { folder, signal });
    for (const [manager, project] of Object.entries(projects)) {
      await importEntries(project, { node, entries, signal });
      await runCommandLines(project, { node, packages, signal });
      const text = await runModel(project, { node, signal });
      tell(
        `Node ${version}, ${manager}: ${entries.length} entries imported and required; ` +
          `the model wrote ${JSON.stringify(text)}`,
      );
    }
  }
}

/** From an empty folder to verdicts and charts, without the runtime. */
async function testOwnGenerator(into, tarballs, packages) {
  tell("measuring a generator of one's own, as docs/measuring-your-own-generator.md says…");
  const own = join(folder, "own-generator");
  const paths = Object.fromEntries(
    Object.entries(tarballs).map(([name, file]) => [name, join(into, file)]),
  );
  const { signal } = stop;
  await followThePage(own, { tarballs: paths, signal, tell });
  await refusePackages(own, ["@streamgauge/runtime", "onnxruntime-node"]);
  const bench = packages.find(({ manifest }) => manifest.name === "@streamgauge/bench");
  await cp(consumerFiles, own, { recursive: true });
  await importEntries(own, { node: process.execPath, entries: bench.entries, signal });
  tell("npm: measured without the runtime, and every entry of the bench imported");
}

/** Installs with npm; where only onnxruntime-node's script failed, what it said. */
async function installAnyway(options) {
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(longestDownloadMs)]);
  try {
    await installProject("npm", { ...options, signal, download: true });
    return undefined;
  } catch (error) {
    const failed = /node_modules[/\\]onnxruntime-node\s[^]*command failed[^]*?\bError: ([^\n]+)/;
    const [, reason] = failed.exec(error.message) ?? [];
    if (!(error instanceof ProgramError) || reason === undefined) throw error;
    return reason;
  }
}

async function checkTree(project, { documented, copies, node }) {
  const names = documented.map(({ name }) => name);
  const installed = await installedPackages(project);
  refuse(treeProblems(installed, { documented: names, copies, node }));
  const counts = Object.entries(copies).map(([name, count]) => `${name} × ${count}`);
  tell(`${installed.length} packages; scripts: ${names.join(", ")}; ${counts.join(", ")}`);
}

/** That ours promise to run on. */
async function oldestNode() {
  const { engines } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  return minVersion(engines.node).version;
}

/** What a user of nearly everything adds: the optional peers, and the types of Node. */
async function otherDependencies(packages) {
  const { catalog } = parse(await readFile(join(root, "pnpm-workspace.yaml"), "utf8"));
  const own = packages.map(({ manifest }) => manifest.name);
  const peers = packages.flatMap(({ manifest }) => Object.keys(manifest.peerDependencies ?? {}));
  const names = [...peers, "@types/node"].filter(
    (name) => name !== tooLarge && !own.includes(name),
  );
  return Object.fromEntries(names.map((name) => [name, catalog[name]]));
}

/** The workspace's own ways to write versions mean nothing to others. */
function unresolvedVersions({ name, dependencies = {}, peerDependencies = {} }) {
  return Object.entries({ ...dependencies, ...peerDependencies })
    .filter(([, version]) => /^(workspace|catalog):/.test(version))
    .map(([dependency, version]) => `${name} is packed with ${dependency} at ${version}.`);
}

function refuse(problems) {
  if (problems.length > 0) throw new ProgramError(problems.join("\n"));
}

function tell(text) {
  process.stderr.write(`${text}\n`);
}
