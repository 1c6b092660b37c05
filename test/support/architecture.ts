/**
 * The shape of the code as rules: who may import whom, what pure code may not touch, who may read
 * the environment, and that nothing in `src` knows a connector by name. Reads text, runs nothing.
 *
 *     const findings = judge(readSources(root), EXCEPTIONS);   // [] when the shape holds
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { importFindings, moduleCycles } from "./architecture-imports.ts";
import { textFindings } from "./architecture-text.ts";
import { importsOf } from "./imports.ts";
import type { Import } from "./imports.ts";
import { scan } from "./tokens.ts";
import type { Scanned } from "./tokens.ts";

/** Path from the repository's root with forward slashes, and the file's text. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly rule: RuleName;
  /** What was found against what the rule expects. */
  readonly found: string;
  /** What to do about it. */
  readonly instruction: string;
}

export type RuleName =
  | "import-table"
  | "door"
  | "unknown-module"
  | "module-cycle"
  | "computed-import"
  | "pure"
  | "connector-name"
  | "connector-world"
  | "simulator"
  | "environment"
  | "no-mocks"
  | "columns"
  | "folder-name"
  | "unused-exception";

/** A rule set aside for one file, with the reason; one that nothing needs any more is a finding. */
export interface Exception {
  readonly rule: RuleName;
  readonly file: string;
  readonly because: string;
}

export const EXCEPTIONS: readonly Exception[] = [
  {
    rule: "computed-import",
    file: "src/connector/loader.ts",
    because: "the loader is the one place that turns a connector's name into its code",
  },
  {
    rule: "computed-import",
    file: "src/connector/conformance/probe.ts",
    because: "imports the connector that it is given, in a process without rights",
  },
  {
    rule: "computed-import",
    file: "src/launch.js",
    because: "starts the entry that it is given, under the pinned Node",
  },
  {
    rule: "environment",
    file: "src/store/generate-client.js",
    because: "plain JavaScript of the install: passes the environment on to Prisma's generator",
  },
  {
    rule: "environment",
    file: "src/store/prisma.config.ts",
    because: "is read by Prisma's CLI alone, which takes its settings from the environment",
  },
];

/** A source with what the rules read of it. */
export interface Parsed extends Source, Scanned {
  readonly imports: readonly Import[];
}

export interface World {
  readonly files: readonly Parsed[];
  readonly paths: ReadonlySet<string>;
  /** The folder names of `connectors/`. */
  readonly connectors: readonly string[];
  /** `imports` of package.json: `#connector` → `src/connector/contract.ts`. */
  readonly doors: Readonly<Record<string, string>>;
}

export const DOORS: Readonly<Record<string, string>> = {
  "#connector": "src/connector/contract.ts",
  "#connector/files": "src/connector/files/index.ts",
  "#connector/http": "src/connector/http/index.ts",
  "#connector/oauth": "src/connector/oauth/index.ts",
  "#connector/sftp": "src/connector/sftp/index.ts",
};

export function judge(
  sources: readonly Source[],
  exceptions: readonly Exception[] = [],
): readonly Finding[] {
  const world = worldOf(sources);
  const all = [
    ...world.files.flatMap((file) => [
      ...importFindings(file, world),
      ...textFindings(file, world),
    ]),
    ...moduleCycles(world),
  ];
  const excused = (finding: Finding) => (exception: Exception) =>
    exception.rule === finding.rule && exception.file === finding.file;
  const unused = exceptions.filter(
    (exception) => !all.some((finding) => excused(finding)(exception)),
  );
  return [
    ...all.filter((finding) => !exceptions.some(excused(finding))),
    ...unused.map(({ file, rule }): Finding => ({
      file,
      line: 1,
      rule: "unused-exception",
      found: `nothing in it breaks "${rule}" any more`,
      instruction: "Take the exception out of EXCEPTIONS in test/support/architecture.ts.",
    })),
  ];
}

function worldOf(sources: readonly Source[]): World {
  const files = sources.map((source) => {
    const scanned = scan(source.text);
    return { ...source, ...scanned, imports: importsOf(scanned.tokens) };
  });
  const connectors = new Set(
    sources.flatMap(({ path }) => /^connectors\/([^/]+)\//.exec(path)?.[1] ?? []),
  );
  return {
    files,
    paths: new Set(sources.map(({ path }) => path)),
    connectors: [...connectors],
    doors: DOORS,
  };
}

/** `file:line: rule: what was found. What to do.` */
export function sentence(finding: Finding): string {
  const { file, line, rule, found, instruction } = finding;
  return `${file}:${line}: ${rule}: ${found}. ${instruction}`;
}

const FOLDERS = ["src", "connectors", "deploy", "test"];
const SKIPPED = new Set(["node_modules", "generated"]);

/** Every TypeScript and JavaScript file that people wrote. */
export function readSources(root: string): readonly Source[] {
  return FOLDERS.flatMap((folder) => listFiles(root, folder))
    .filter((path) => /\.(?:ts|js|mjs|cjs|tsx)$/.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

function listFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (!entry.isDirectory()) return [path];
    return SKIPPED.has(entry.name) ? [] : listFiles(root, path);
  });
}
