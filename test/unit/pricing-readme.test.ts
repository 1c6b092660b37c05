/** The page about prices says every word of a policy, and no other. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { policySchema, readPolicy } from "../../src/pricing/index.ts";

const PAGE = readFileSync(new URL("../../src/pricing/README.md", import.meta.url), "utf8");

interface Node {
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly allOf?: readonly Node[];
}

/** "compete: lowest" for each word of a list, "step" for what is free; switches stand apart. */
function wordsOf(node: Node, name: string): string[] {
  const values = [...(node.enum ?? []), ...(node.const === undefined ? [] : [node.const])];
  const inside = Object.entries(node.properties ?? {}).filter(([key]) => key !== "switches");
  const free = values.length === 0 && /^(?:string|boolean|integer)$/.test(node.type ?? "");
  const parts = [node.items, ...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
  return [
    ...values.map((value) => `${name}: ${String(value)}`),
    ...(free ? [name] : []),
    ...inside.flatMap(([key, each]) => wordsOf(each, key)),
    ...parts.flatMap((each) => (each === undefined ? [] : wordsOf(each, name))),
  ];
}

/** First cells of the tables about words. */
function told(): string[] {
  const [, words = ""] = /## The words of a policy([\s\S]*?)\n### Switches/.exec(PAGE) ?? [];
  return [...words.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word),
  );
}

/** Containers have no words of their own; a place of the base is named as in a step. */
const CONTAINERS = new Set(["base", "switches", "unitPrice", "lineNet", "vat"]);

test("every word of a policy is told of, and none that there is not", () => {
  const schema = z.toJSONSchema(policySchema, { io: "input", unrepresentable: "any" }) as Node;
  const known = wordsOf(schema, "").map((word) =>
    word.replace(/^(customer|product): /, (_, scope: string) => `${scope}s: `),
  );
  const distinct = new Set(known.filter((word) => word !== "draw"));
  const page = told().filter((word) => !CONTAINERS.has(word));
  expect(page.toSorted()).toEqual([...distinct].toSorted());
  expect(page).toContain("compete: most-conditions");
});

test("the policy that it shows is one", () => {
  const [, text = ""] = /```yaml\n([\s\S]*?)```/.exec(PAGE) ?? [];
  const policy = readPolicy({ file: "README.md", text });
  expect(policy.steps.map(({ step, hit }) => `${step}: ${hit}`)).toEqual([
    "Contract: stop",
    "List price: continue",
    "Discount: continue",
  ]);
});
