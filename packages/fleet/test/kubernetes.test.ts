import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { agentCommand } from "@streamgauge/fleet";

/** The part of Kubernetes's schema of a Job (batch/v1) that the manifest uses; no further field. */
const quantity = z.string().regex(/^\d+(\.\d+)?(m|Ki|Mi|Gi)?$/);
const labels = z.record(z.string(), z.string().max(63));
const container = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,63}$/),
  image: z.string().min(1),
  command: z.array(z.string()),
  args: z.array(z.string()),
  env: z.array(
    z.strictObject({
      name: z.string().regex(/^[A-Z_]+$/),
      valueFrom: z.union([
        z.strictObject({ fieldRef: z.strictObject({ fieldPath: z.literal("spec.nodeName") }) }),
        z.strictObject({ secretKeyRef: z.strictObject({ name: z.string(), key: z.string() }) }),
      ]),
    }),
  ),
  resources: z.strictObject({
    requests: z.strictObject({ cpu: quantity, memory: quantity }),
    limits: z.strictObject({ cpu: quantity, memory: quantity }),
  }),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.boolean(),
    readOnlyRootFilesystem: z.boolean(),
    runAsNonRoot: z.boolean(),
    runAsUser: z.int().positive(),
  }),
  volumeMounts: z.array(
    z.strictObject({ name: z.string(), mountPath: z.string().startsWith("/") }),
  ),
});
const job = z.strictObject({
  apiVersion: z.literal("batch/v1"),
  kind: z.literal("Job"),
  metadata: z.strictObject({ name: z.string().regex(/^[a-z0-9-]{1,63}$/), labels }),
  spec: z.strictObject({
    completionMode: z.literal("Indexed"),
    completions: z.int().positive(),
    parallelism: z.int().positive(),
    backoffLimitPerIndex: z.int().nonnegative(),
    maxFailedIndexes: z.int().nonnegative(),
    template: z.strictObject({
      metadata: z.strictObject({ labels }),
      spec: z.strictObject({
        // What backoffLimitPerIndex asks for.
        restartPolicy: z.literal("Never"),
        automountServiceAccountToken: z.literal(false),
        terminationGracePeriodSeconds: z.int().positive(),
        affinity: z.strictObject({
          podAntiAffinity: z.strictObject({
            requiredDuringSchedulingIgnoredDuringExecution: z.array(
              z.strictObject({
                topologyKey: z.string(),
                labelSelector: z.strictObject({ matchLabels: labels }),
              }),
            ),
          }),
        }),
        containers: z.tuple([container]),
        volumes: z.array(
          z.strictObject({
            name: z.string(),
            emptyDir: z.strictObject({ sizeLimit: quantity.optional() }),
          }),
        ),
      }),
    }),
  }),
});

it("the manifest is a Job, whose agents take the flags that it gives", async () => {
  const text = await readFile(new URL("../kubernetes.yaml", import.meta.url), "utf8");
  const { spec } = job.parse(parse(text)).spec.template;
  const [{ args, volumeMounts, resources }] = spec.containers;
  const known = agentCommand().options.map(({ long }) => long);
  for (const argument of args) expect(known).toContain(argument.replace(/=.*/, ""));
  expect(volumeMounts.map(({ name }) => name)).toEqual(spec.volumes.map(({ name }) => name));
  // Only pods that ask for what they are limited to get cores of their own.
  expect(resources.limits).toEqual(resources.requests);
});
