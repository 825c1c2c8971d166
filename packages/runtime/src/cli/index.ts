export { buildModelCommand } from "./build-model.js";
export { addEngineFlags, engineOptionsOf, type EngineFlags } from "./engine-flags.js";
export { demoCommand, generateCommand } from "./generate.js";
export { showLoading, type Loaded } from "./show-loading.js";
