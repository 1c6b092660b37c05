/**
 * Taking a bundle in: all of it is checked where it would stand, as `check` does, before anything
 * is changed; each file is replaced as a whole; the settings file comes last.
 */
import { mkdir, mkdtemp, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { checkFiles, type Checked } from "../company.ts";
import { readSettings } from "../config.ts";
import {
  BUNDLE_VERSION,
  BundleProblem,
  bundleSchema,
  digestOf,
  productVersion,
  shippedDigests,
  type Bundle,
  type BundleFile,
} from "./bundle.ts";

/** A bundle's text, YAML or JSON. Throws where it is none, or was changed by hand. */
export function readBundle(name: string, text: string): Bundle {
  const parsed = bundleSchema.safeParse(parsedText(name, text));
  if (!parsed.success)
    throw new BundleProblem(
      `Reading the bundle ${name}: ${z.prettifyError(parsed.error)}\n` +
        "Make one with `tradepost settings export FILE`.",
    );
  const bundle = parsed.data;
  if (bundle.version > BUNDLE_VERSION)
    throw new BundleProblem(
      `Reading the bundle ${name}: it is of version ${bundle.version}, written by Tradepost ` +
        `${bundle.product}, and this one reads up to ${BUNDLE_VERSION}. Import it with a newer Tradepost.`,
    );
  for (const { path, sha256, text: content } of [bundle.settings, ...bundle.files]) {
    refuseOddPath(name, path);
    if (digestOf(content) !== sha256)
      throw new BundleProblem(
        `Reading the bundle ${name}: ${path} is not what its digest says, so it was changed or cut ` +
          "off on the way. Export it again.",
      );
  }
  return bundle;
}

function parsedText(name: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new BundleProblem(
      `Reading the bundle ${name}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** A bundle from elsewhere must not reach out of the folder that it is put into. */
function refuseOddPath(name: string, path: string): void {
  const inside = resolve("/base", path).startsWith(`${resolve("/base")}${sep}`);
  if (inside && /\.ya?ml$/.test(path) && !path.includes("\\") && !path.startsWith("/")) return;
  throw new BundleProblem(
    `Reading the bundle ${name}: the path ${JSON.stringify(path)} is no YAML file below the ` +
      "settings' folder. Nothing was written.",
  );
}

export interface FileChange {
  readonly path: string;
  readonly change: "new" | "changed" | "same";
}

export interface ImportPlan {
  readonly bundle: Bundle;
  /** The settings file that it is put into. */
  readonly target: string;
  readonly files: readonly FileChange[];
  /** What `check` says of it; an error stops the import. */
  readonly checked: readonly (Checked & { readonly company: string })[];
  /** What is worth knowing: another version of the product, secrets to be set. */
  readonly notes: readonly string[];
}

/** What an import would do; nothing is changed. */
export async function planImport(bundle: Bundle, target: string): Promise<ImportPlan> {
  const base = dirname(target);
  const files = await Promise.all(placed(bundle, target).map((each) => changeOf(base, each)));
  const { checked, notes } = await tried(bundle, target);
  return { bundle, target, files, checked, notes };
}

function placed({ settings, files }: Bundle, target: string): BundleFile[] {
  return [...files, { ...settings, path: basename(target) }];
}

async function changeOf(base: string, { path, text }: BundleFile): Promise<FileChange> {
  const there = await readFile(join(base, path), "utf8").catch(() => null);
  return { path, change: there === null ? "new" : there === text ? "same" : "changed" };
}

/** Read and checked in a folder of its own, as it would stand. */
async function tried(
  bundle: Bundle,
  target: string,
): Promise<Pick<ImportPlan, "checked" | "notes">> {
  await mkdir(dirname(target), { recursive: true });
  // Beside its place: what it names relative to itself is meant from there.
  const folder = await mkdtemp(join(dirname(target), ".tradepost-import-"));
  try {
    for (const each of placed(bundle, target)) await writeIn(folder, each);
    const settings = readSettings({ file: join(folder, basename(target)) });
    const checked: (Checked & { company: string })[] = [];
    for (const company of Object.keys(settings.companies))
      for (const each of (await checkFiles(settings, company)).parts)
        checked.push({ company, ...each });
    const notes = [
      ...(await versionNotes(bundle, await shippedDigests(settings))),
      ...bundle.secrets
        .filter((name) => settings.secret(name) === null)
        .map(
          (name) => `The secret ${name} is not set here: TRADEPOST_SECRET_${name.toUpperCase()}.`,
        ),
    ];
    return { checked, notes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeIn(folder: string, { path, text }: BundleFile): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

async function versionNotes(
  { product, shipped }: Bundle,
  here: Readonly<Record<string, string>>,
): Promise<string[]> {
  const version = await productVersion();
  const other = Object.keys(shipped).filter((name) => here[name] !== shipped[name]);
  return [
    ...(product === version ? [] : [`It was written by Tradepost ${product}; this is ${version}.`]),
    ...other.map(
      (name) =>
        `The shipped ${name} is another here than where the bundle was made: compare prices and mappings before going on.`,
    ),
  ];
}

/**
 * Writes what the plan says, each file whole or not at all, the settings last. Throws where a file
 * would be replaced that is another, unless told to.
 */
export async function applyImport(
  { bundle, target, files, checked }: ImportPlan,
  { replace }: { readonly replace: boolean },
): Promise<void> {
  const faults = checked.filter(({ state }) => state === "error");
  if (faults.length > 0)
    throw new BundleProblem(
      `Importing into ${target}: ${faults.length} faults, the first one in ${faults[0]?.part ?? ""}: ` +
        `${faults[0]?.about ?? ""} Nothing was written.`,
    );
  const changed = files.filter(({ change }) => change === "changed").map(({ path }) => path);
  if (changed.length > 0 && !replace)
    throw new BundleProblem(
      `Importing into ${target}: ${changed.join(", ")} ${changed.length === 1 ? "is there and is" : "are there and are"} ` +
        "different. Nothing was written. See what changes with --dry-run, and give --replace.",
    );
  const base = dirname(target);
  for (const each of placed(bundle, target)) await replaceFile(join(base, each.path), each.text);
}

async function replaceFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const half = `${path}.${process.pid}.tmp`;
  const handle = await open(half, "w");
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(half, path);
}
