export { buildModelCommand } from "./build-model.js";
export { demoCommand, generateCommand } from "./generate.js";
