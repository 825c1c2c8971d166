// Preloaded, it hides the runtime as if it were not installed: node --import ./without-runtime.mjs
import { register } from "node:module";

const hooks = `
export async function resolve(specifier, context, next) {
  if (!/^(@streamgauge\\/runtime|onnxruntime-node)(\\/|$)/.test(specifier)) return next(specifier, context);
  const name = specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
  const error = new Error("Cannot find package '" + name + "' imported from " + context.parentURL);
  error.code = "ERR_MODULE_NOT_FOUND";
  throw error;
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
