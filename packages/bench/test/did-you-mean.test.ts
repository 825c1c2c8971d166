import { expect, it } from "vitest";
import { didYouMean } from "../src/plan/did-you-mean.js";

const known = ["quick", "standard", "full", "model", "model-inline", "transports"];

it.each([
  ["quik", ' Did you mean "quick"?'],
  ["Standart", ' Did you mean "standard"?'],
  ["modle", ' Did you mean "model"?'],
  ["transport", ' Did you mean "transports"?'],
  ["x", ""],
  ["everything", ""],
  ["", ""],
])("of %j asks%s", (name, question) => {
  expect(didYouMean(name, known)).toBe(question);
});
