export { buildModelCommand } from "./build-model.js";
export { checkModelCommand } from "./check-model.js";
export { addEngineFlags, engineOptionsOf, type EngineFlags } from "./engine-flags.js";
export { demoCommand, generateCommand } from "./generate.js";
export { pullCommand } from "./pull.js";
export { tuneCommand } from "./tune.js";
export { showLoading, type Loaded } from "./show-loading.js";
