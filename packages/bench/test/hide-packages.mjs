// Preloaded, it hides packages as if they were not installed:
// node --import "./hide-packages.mjs?specifiers=<a regular expression>"
import { register } from "node:module";

const specifiers = new URL(import.meta.url).searchParams.get("specifiers") ?? "";
const hooks = `
const hidden = new RegExp(${JSON.stringify(specifiers)});
export async function resolve(specifier, context, next) {
  if (!hidden.test(specifier)) return next(specifier, context);
  const isFile = /^(file:|[./])/.test(specifier);
  const name = isFile ? specifier : specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
  const error = new Error("Cannot find package '" + name + "' imported from " + context.parentURL);
  error.code = "ERR_MODULE_NOT_FOUND";
  throw error;
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
