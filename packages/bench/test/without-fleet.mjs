// Preloaded, it hides the fleet as if it were not installed: node --import ./without-fleet.mjs
import { register } from "node:module";

const hooks = `
export async function resolve(specifier, context, next) {
  if (!/(^@streamgauge\\/fleet$|\\/fleet\\/dist\\/)/.test(specifier)) return next(specifier, context);
  const error = new Error("Cannot find package '" + specifier + "' imported from " + context.parentURL);
  error.code = "ERR_MODULE_NOT_FOUND";
  throw error;
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
