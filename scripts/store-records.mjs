// Stores records again as the bench stores them now. No figure changes: a record that would not be
// read again as it was is put back, and the script fails.
//
//   node scripts/store-records.mjs results/<name> …
import { readFile, rm, writeFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { locateRecordFile, readRecordFile } from "../packages/bench/dist/run/read-record.js";
import { RecordFile } from "../packages/bench/dist/run/record-file.js";

/** @param {string} folder of a record and its raw samples */
async function storeAgain(folder) {
  const before = await locateRecordFile(folder);
  const bytesBefore = await readFile(before);
  const record = await readRecordFile(before);
  const file = await RecordFile.create(folder);
  await file.save(record);
  if (!isDeepStrictEqual(await readRecordFile(file.path), record)) {
    await rm(file.path);
    await writeFile(before, bytesBefore);
    throw new Error(`${before} does not follow from its raw samples: it stays as it was.`);
  }
  const { length } = await readFile(file.path);
  return `${before} (${bytesBefore.length} bytes) -> ${file.path} (${length} bytes), of equal content`;
}

for (const folder of process.argv.slice(2)) console.log(await storeAgain(folder));
