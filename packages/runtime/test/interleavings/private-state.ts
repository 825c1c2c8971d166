import { Session } from "node:inspector";

const session = new Session();
session.connect();

interface RemoteObject {
  readonly type: string;
  readonly subtype?: string;
  readonly value?: string | number | boolean | null;
  readonly description?: string;
  readonly objectId?: string;
}

interface Property {
  readonly name: string;
  readonly value?: RemoteObject;
}

/**
 * Every private field of an object as text, as a debugger sees it: so none can be
 * forgotten. An object in a field is written with its own private fields, or, if it
 * has none, only as being there.
 */
export function privateState(object: object): string {
  const probe = globalThis as { probedObject?: object };
  probe.probedObject = object;
  const { result } = ask("Runtime.evaluate", {
    expression: "globalThis.probedObject",
    objectGroup: "probe",
  });
  if (result === undefined) throw new Error("The inspector shows no object.");
  const text = describe(result);
  ask("Runtime.releaseObjectGroup", { objectGroup: "probe" });
  delete probe.probedObject;
  return text;
}

function describe({ type, value, description, objectId }: RemoteObject): string {
  if (objectId === undefined) return `${type} ${String(value ?? description)}`;
  const { privateProperties = [] } = ask("Runtime.getProperties", {
    objectId,
    ownProperties: true,
  });
  const fields = privateProperties.flatMap(({ name, value: field }) =>
    field === undefined || field.type === "function" ? [] : [`${name}: ${describe(field)}`],
  );
  return `${description}{${fields.join()}}`;
}

interface Answer {
  readonly result?: RemoteObject;
  readonly privateProperties?: readonly Property[];
}

/** In this process the inspector answers before the call returns. */
function ask(method: string, parameters: object): Answer {
  let answer: Answer | undefined;
  session.post(method, parameters, (error, result) => {
    if (error !== null) throw error;
    answer = result;
  });
  if (answer === undefined) throw new Error(`The inspector has not answered ${method}.`);
  return answer;
}
