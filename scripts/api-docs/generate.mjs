// Writes docs/api from the doc comments of what the packages export: a page for each entry point.
// With --check it leaves nothing, and fails when a page cannot be made or a link leads nowhere.
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Application } from "typedoc";

const root = fileURLToPath(new URL("../..", import.meta.url));
const output = join(root, "docs/api");

/** What each entry point of the published packages is called, by its source from the root without an ending. */
async function entryPoints() {
  const found = new Map();
  for (const name of ["core", "runtime", "bench", "report"]) {
    const folder = join(root, "packages", name);
    const { exports } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    // The first that exports a name documents it, and the others link there: "." comes last.
    const paths = Object.entries(exports).toSorted(
      ([a], [b]) => Number(a === ".") - Number(b === "."),
    );
    for (const [path, { types }] of paths) {
      // A command line is documented by its --help.
      if (types === undefined || path === "./cli") continue;
      const source = types.replace("./dist/", "src/").replace(".d.ts", "");
      found.set(`packages/${name}/${source}`, `${name}${path.slice(1)}`);
    }
  }
  return found;
}

async function generate(folder) {
  const names = await entryPoints();
  const app = await Application.bootstrapWithPlugins({
    plugin: ["typedoc-plugin-markdown"],
    tsconfig: join(root, "tsconfig.json"),
    entryPoints: [...names.keys()].map((source) => join(root, `${source}.ts`)),
    basePath: root,
    name: "API",
    readme: "none",
    logLevel: "Warn",
    // Types are checked by the build, with the compiler that the packages are made for.
    skipErrorChecking: true,
    disableSources: true,
    excludeExternals: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeProtected: true,
    githubPages: false,
    validation: { notExported: false, invalidLink: true, notDocumented: false },
    outputFileStrategy: "modules",
    flattenOutputFiles: true,
    entryFileName: "README",
    hidePageHeader: true,
    hideBreadcrumbs: true,
    pageTitleTemplates: { index: "API", module: ({ name }) => `@streamgauge/${name}` },
    parametersFormat: "table",
    interfacePropertiesFormat: "table",
    classPropertiesFormat: "table",
    typeAliasPropertiesFormat: "table",
    typeDeclarationFormat: "table",
    tableColumnSettings: {
      hideSources: true,
      hideModifiers: true,
      hideInherited: true,
      hideOverrides: true,
    },
  });
  const project = await app.convert();
  if (project === undefined) throw new Error("TypeDoc could not read the packages.");
  // "packages/runtime/src/ring/index" is "runtime/ring" to whoever imports it.
  for (const entry of project.children ?? []) {
    const name = names.get(entry.name) ?? names.get(`${entry.name}/index`);
    if (name === undefined) throw new Error(`${entry.name} is no entry point of a package.`);
    entry.name = name;
  }
  await app.outputs.writeOutput({ name: "markdown", path: folder }, project);
  if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1;
}

async function pagesOf(folder) {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".md"));
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, await readFile(join(folder, name), "utf8")]),
    ),
  );
}

/** Links from page to page that lead nowhere, as "page: link". */
async function brokenLinks(folder) {
  const pages = await pagesOf(folder);
  return [...pages].flatMap(([name, text]) =>
    [...text.matchAll(/\]\(([\w.-]+\.md)(?:#[^)]*)?\)/g)]
      .filter(([, target]) => !pages.has(target))
      .map(([link]) => `${name}: ${link}`),
  );
}

if (process.argv.includes("--check")) {
  const folder = await mkdtemp(join(tmpdir(), "streamgauge-api-"));
  try {
    await generate(folder);
    const broken = await brokenLinks(folder);
    if (broken.length > 0) {
      process.stderr.write(`Links of docs/api that lead nowhere: ${broken.join(", ")}.\n`);
      process.exitCode = 1;
    }
  } finally {
    await rm(folder, { recursive: true });
  }
} else {
  await rm(output, { recursive: true, force: true });
  await generate(output);
}
