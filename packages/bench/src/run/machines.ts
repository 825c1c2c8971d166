import type { Environment, MeasuringMachine } from "../record/index.js";
import type { PartMachine } from "./parts/recorded-part.js";

/** A process that is measured again belongs to whoever did it last. */
export function withProcess(
  machines: readonly MeasuringMachine[],
  process: number,
  { name, label, environment }: PartMachine,
): readonly MeasuringMachine[] {
  const others = machines
    .map((machine) => ({
      ...machine,
      processes: machine.processes.filter((other) => other !== process || machine.name === name),
    }))
    .filter(({ processes }) => processes.length > 0);
  const known = others.find((machine) => machine.name === name);
  if (known === undefined) return [...others, { name, label, processes: [process], environment }];
  const processes = [...new Set([...known.processes, process])].toSorted((one, two) => one - two);
  return others.map((machine) => (machine === known ? { ...known, processes } : machine));
}

/** The environment of a run that others measured: with the worst of what disturbed any of them. */
export function worstOf(
  environment: Environment,
  machines: readonly MeasuringMachine[],
): Environment {
  const all = machines.map((machine) => machine.environment);
  const [first] = all;
  if (first === undefined) return environment;
  const stolen = all.map(({ stolenCpuFraction }) => stolenCpuFraction ?? 0);
  return {
    ...first,
    stolenCpuFraction: first.stolenCpuFraction === null ? null : Math.max(...stolen),
    advice: [...new Set(all.flatMap(({ advice }) => advice))],
    peakResidentBytes: Math.max(...all.map(({ peakResidentBytes }) => peakResidentBytes)),
  };
}
