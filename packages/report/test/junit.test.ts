import { XMLParser, XMLValidator } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { exportedText } from "./exported.js";
import { fixtureRecord } from "./fixture.js";

const counted = {
  name: z.string(),
  tests: z.coerce.number(),
  failures: z.coerce.number(),
  errors: z.coerce.number(),
  skipped: z.coerce.number(),
};

/** The elements and attributes of junit-10.xsd of Jenkins' xunit plug-in that we use. */
const junitSchema = z.strictObject({
  "?xml": z.unknown(),
  testsuites: z.strictObject({
    ...counted,
    testsuite: z.strictObject({
      ...counted,
      time: z.string(),
      timestamp: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
      properties: z.object({
        property: z.array(z.strictObject({ name: z.string(), value: z.string() })),
      }),
      testcase: z.array(
        z.strictObject({
          name: z.string(),
          classname: z.string(),
          time: z.string(),
          failure: z
            .strictObject({ message: z.string(), type: z.string(), "#text": z.string() })
            .optional(),
          skipped: z.strictObject({ message: z.string() }).optional(),
        }),
      ),
    }),
  }),
});

/** The suite, as a reader of JUnit XML sees it. */
function readJUnit(xml: string) {
  expect(XMLValidator.validate(xml)).toBe(true);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "",
    parseTagValue: false,
    isArray: (name) => name === "testcase" || name === "property",
  });
  return junitSchema.parse(parser.parse(xml)).testsuites.testsuite;
}

describe("JUnit XML of the claims", () => {
  it("passes, fails and skips by verdict, with the reasons", async () => {
    const record = await fixtureRecord();
    const verdicts = ["upheld", "refuted", "inconclusive", "void"] as const;
    const claims = record.claims.map((claim, index) => ({
      ...claim,
      verdict: verdicts[index]!,
      reasons: [`Reason ${index}.`, "Another."],
    }));
    const suite = readJUnit(await exportedText("junit", { ...record, claims }));
    expect(suite).toMatchObject({ tests: 4, failures: 1, errors: 0, skipped: 2 });
    const [upheld, refuted, inconclusive, isVoid] = suite.testcase;
    expect(upheld).toEqual({
      name: "sync-under-5-percent: pequod-pooled-10, sync, overhead below 5 %",
      classname: "streamgauge.overhead",
      time: "0",
    });
    expect(refuted?.failure).toEqual({
      message: "refuted: Reason 1. Another.",
      type: "refuted",
      "#text": "Reason 1.\nAnother.",
    });
    expect(inconclusive?.skipped?.message).toBe("inconclusive: Reason 2. Another.");
    expect(isVoid?.skipped?.message).toBe("void: Reason 3. Another.");
  });
});
