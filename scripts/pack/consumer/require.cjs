// Requires one entry from CommonJS, alone in its process: node require.cjs <entry>
const [, , entry] = process.argv;
const names = Object.keys(require(entry)).filter((name) => name !== "__esModule");
process.stdout.write(names.toSorted().join(" "));
