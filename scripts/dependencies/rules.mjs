import { independent, rooms } from "./rooms.mjs";

/** Rules for dependency-cruiser: no circle among files, type imports included, and one direction. */
const forbidden = [
  { name: "no-circle", severity: "error", from: {}, to: { circular: true } },
  ...Object.entries(rooms).flatMap(([name, order]) =>
    order.flatMap((_, place) => rulesAt(name, order, place)),
  ),
  ...independent.map((folder) => ({
    name: `${folder} imports no other room`,
    severity: "error",
    from: { path: `^${folder}/` },
    to: { path: "^packages/[^/]+/src/", pathNot: `^${folder}/` },
  })),
];

function rulesAt(name, order, place) {
  const here = [order[place]].flat();
  const later = order.slice(place + 1).flat();
  return here.map((room) => {
    const barred = [...later, ...here.filter((other) => other !== room)];
    const folders = barred.length === 0 ? "" : `(${barred.join("|")})/|`;
    return {
      name: `${name}/${room} imports from earlier rooms only`,
      severity: "error",
      from: { path: `^packages/${name}/src/${room}/` },
      to: {
        path: `^packages/${name}/src/(${folders}[^/]+$)`,
        pathNot: `^packages/${name}/src/error-codes`,
      },
    };
  });
}

export default {
  forbidden,
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types"] },
  },
};
