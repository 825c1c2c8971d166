import { join } from "node:path";
import { StreamgaugeError } from "@streamgauge/core";

/**
 * The path of a file that a model's file names. Names lead down into the folder, whatever
 * system they were written on; what the folder has there may be a link.
 *
 * @param namedBy what names it, for the error
 * @throws StreamgaugeError `MODEL_UNSUPPORTED` for a name that leads elsewhere
 */
export function namedFile(folder: string, name: string, namedBy: string): string {
  const leadsElsewhere =
    name === "" || /[\\\0]|^\/|^[a-z]:/i.test(name) || name.split("/").includes("..");
  if (!leadsElsewhere) return join(folder, name);
  throw new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `${namedBy} names the file ${JSON.stringify(name)}, and nothing is read that does not lie in ` +
      `${folder}: put the file there, and name it without "..", "\\" or a leading "/".`,
  );
}
