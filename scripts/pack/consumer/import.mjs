// Imports one entry, alone in its process: node import.mjs <entry>
const [, , entry] = process.argv;
const names = Object.keys(await import(entry));
if (names.length === 0) throw new Error(`${entry} exports nothing.`);
if (names.includes("default")) throw new Error(`${entry} has a default export.`);
process.stdout.write(names.toSorted().join(" "));
