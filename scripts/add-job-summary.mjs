// Adds a Markdown file to the summary of a GitHub job; elsewhere it prints it:
//   node scripts/add-job-summary.mjs <file.md>
import { appendFile, readFile } from "node:fs/promises";

const [, , file] = process.argv;
if (file === undefined) throw new Error("Usage: node scripts/add-job-summary.mjs <file.md>");
const text = await readFile(file, "utf8");
const summary = process.env.GITHUB_STEP_SUMMARY;
if (summary) await appendFile(summary, `${text}\n`);
else process.stdout.write(text);
