/** `mappings/<name>/pricing.yaml` → a policy, or an error that names every line that is wrong. */
import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { z } from "zod";
import { DefinitionError, nearest, openDefinition } from "../definition/index.ts";
import type { DefinitionSource } from "../definition/index.ts";
import { records } from "../model/index.ts";
import type { Policy, PolicyStep } from "./engine/index.ts";

const customer = z.enum(records["price-rule"].fields.customerScope.values);
const product = z.enum(records["price-rule"].fields.productScope.values);

const rounding = (least: number, most: number) =>
  z
    .strictObject({
      places: z.int().min(least).max(most),
      rounding: z.enum(["half-away", "half-even", "half-up", "down", "up"]),
    })
    .transform(({ places, rounding }) => ({ scale: places, mode: rounding }));

const common = {
  step: z.string().min(1).max(60),
  compete: z.enum(["lowest", "particular"]),
  hit: z.enum(["stop", "compete"]),
};
/** Whom × what, customers first: all that the first customer scope has, then the second's. */
const places = { customers: z.array(customer).min(1), products: z.array(product).min(1) };

const step = z.discriminatedUnion("draw", [
  z.strictObject({
    ...common,
    draw: z.literal("quotations"),
    applies: z.enum(["when-named", "by-itself"]),
  }),
  z.strictObject({
    ...common,
    ...places,
    draw: z.literal("rules"),
    only: z.enum(["net", "not-net"]),
    withBase: z.boolean(),
  }),
  z.strictObject({ ...common, ...places, draw: z.literal("promotions") }),
  z.strictObject({ ...common, draw: z.literal("account-discount") }),
  z.strictObject({ ...common, draw: z.literal("base") }),
]);

/** What a policy's file may hold. */
export const policySchema = z.strictObject({
  policy: z.string().regex(/^[a-z0-9-]+$/),
  about: z.string().min(1),
  productGroups: z.enum(["own", "with-parents"]),
  base: z.array(z.strictObject({ customer, product })),
  steps: z.array(step).min(1),
  arithmetic: z.strictObject({
    unitPrice: rounding(2, 6),
    lineNet: rounding(0, 4),
    lineVat: rounding(0, 4),
  }),
});

/** The policy that the text states. Throws a `DefinitionError` with every problem in it. */
export function readPolicy(source: DefinitionSource): Policy {
  const { value, problem } = openDefinition(source, policySchema);
  const firstCompeting = value.steps.findIndex((step) => step.hit === "compete");
  const misplaced = value.steps.flatMap((step, index) =>
    step.hit === "stop" && firstCompeting >= 0 && index > firstCompeting
      ? [
          problem(["steps", index, "hit"], {
            found: "stop after a step that competes",
            expected: "steps with hit: stop before all with hit: compete",
          }),
        ]
      : [],
  );
  if (misplaced.length > 0) throw new DefinitionError(source.file, misplaced);
  return {
    ...value,
    version: createHash("sha256").update(source.text).digest("hex").slice(0, 12),
    steps: value.steps.map(stepOf),
  };
}

function stepOf(read: z.infer<typeof step>): PolicyStep {
  switch (read.draw) {
    case "rules":
    case "promotions":
      return withPlaces(read);
    case "quotations":
    case "account-discount":
    case "base":
      return read;
    default:
      return read satisfies never;
  }
}

function withPlaces(
  read: Extract<z.infer<typeof step>, { draw: "rules" | "promotions" }>,
): PolicyStep {
  const { customers, products, ...rest } = read;
  const places = customers.flatMap((customer) =>
    products.map((product) => ({ customer, product })),
  );
  return { ...rest, places };
}

const MAPPINGS = new URL("../../mappings/", import.meta.url);

/** The shipped policy of that name. */
export async function loadPolicy(name: string): Promise<Policy> {
  const file = `mappings/${name}/pricing.yaml`;
  const shipped = await shippedPolicies();
  if (!shipped.includes(name)) {
    const close = nearest(name, shipped);
    throw new Error(
      `the price policy "${name}" of the settings does not exist (looked for ${file}); ` +
        `there are: ${shipped.join(", ")}${close === undefined ? "" : `. Did you mean ${close}?`}`,
    );
  }
  const text = await readFile(new URL(`${name}/pricing.yaml`, MAPPINGS), "utf8");
  return readPolicy({ file, text });
}

async function shippedPolicies(): Promise<string[]> {
  const found = await readdir(MAPPINGS, { recursive: true });
  return found
    .filter((file) => file.endsWith("pricing.yaml"))
    .map((file) => file.slice(0, -"/pricing.yaml".length))
    .sort();
}
