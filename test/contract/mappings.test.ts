import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkExamples, compileMapping, compileOutbound } from "../../src/mapping/index.ts";
import { records } from "../../src/model/index.ts";
import { mappingDocuments } from "../support/mapping-documents.ts";

const root = new URL("../../mappings/", import.meta.url);

interface Source {
  readonly file: string;
  readonly text: string;
}

function sourceOf(path: string): Source {
  return { file: `mappings/${path}`, text: readFileSync(new URL(path, root), "utf8") };
}

/** A set may also hold its system's pricing policy, which is no mapping. */
const OTHERS = ["pricing.yaml"];

/** The mapping files of every set, without their examples: "tradepost-csv/customer". */
const mappings = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name: set }) =>
    readdirSync(new URL(`${set}/`, root))
      .filter((file) => file.endsWith(".yaml") && !file.endsWith(".examples.yaml"))
      .filter((file) => !OTHERS.includes(file))
      .map((file) => `${set}/${file.replace(/\.yaml$/, "")}`),
  );

function compile(id: string) {
  const source = sourceOf(`${id}.yaml`);
  return id.endsWith("/web-order") ? compileOutbound(source) : compileMapping(source);
}

describe.each(mappings)("the mapping %s", (id) => {
  test("compiles, and its examples hold", () => {
    expect(checkExamples(compile(id), sourceOf(`${id}.examples.yaml`))).toEqual([]);
  });
});

describe("the Tradepost CSV layout", () => {
  test("has a mapping for every canonical record, named after it, and one for web orders", () => {
    const found = mappings.filter((id) => id.startsWith("tradepost-csv/"));
    const wanted = [...Object.keys(records), "web-order"].map((name) => `tradepost-csv/${name}`);
    expect(found.sort()).toEqual(wanted.sort());
  });

  test.each(mappingDocuments)("is described by $file as it stands", async ({ file, content }) => {
    // `npm run generate` writes it again.
    expect(readFileSync(new URL(`../../${file}`, import.meta.url), "utf8")).toBe(await content());
  });
});
