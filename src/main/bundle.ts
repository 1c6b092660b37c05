/**
 * All that makes an installation what it is, in one file: settings, mapping sets and price policies
 * of one's own, incentive plans, and pauses of schedules. Never a secret: those stand in the
 * environment and the database, and a settings file that holds one is refused.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { isMap, isScalar, isSeq, parseDocument, visit, type Document } from "yaml";
import { z } from "zod";
import type { Settings } from "../config.ts";

/** Grows when a bundle changes so that an older product could not read it. */
export const BUNDLE_VERSION = 1;

const file = z.strictObject({
  /** Below the folder of the settings file, with `/` between. */
  path: z.string().min(1),
  sha256: z.string(),
  text: z.string(),
});

export const bundleSchema = z.strictObject({
  bundle: z.literal("tradepost settings"),
  version: z.int().min(1),
  /** The product that wrote it. */
  product: z.string(),
  settings: file,
  files: z.array(file),
  /** Mapping sets and policies that came with that product, by the digest of their files. */
  shipped: z.record(z.string(), z.string()),
  /** By company. */
  pauses: z.record(z.string(), z.array(z.strictObject({ scope: z.string(), by: z.string() }))),
  /** Names of secrets that the settings ask for; never their values. */
  secrets: z.array(z.string()),
});
export type Bundle = z.infer<typeof bundleSchema>;
export type BundleFile = z.infer<typeof file>;

/** Something stands in the way of a bundle; told to a person. */
export class BundleProblem extends Error {
  override readonly name = "BundleProblem";
  readonly kind = "usage";
}

export interface BundleSource {
  readonly settings: Settings;
  /** By company. */
  readonly pauses: Bundle["pauses"];
}

/** The same installation gives the same bundle, byte for byte. */
export async function makeBundle({ settings, pauses }: BundleSource): Promise<Bundle> {
  refuseSecrets(settings);
  const text = await readFile(settings.file, "utf8");
  const base = dirname(settings.file);
  const document = parseDocument(text);
  const files: BundleFile[] = [];
  let moved = false;
  for (const { at, folder } of pathsIn(document)) {
    const { path, taken } = await take(base, at, folder);
    files.push(...taken);
    if (path === at.value) continue;
    at.set(path);
    moved = true;
  }
  return {
    bundle: "tradepost settings",
    version: BUNDLE_VERSION,
    product: await productVersion(),
    settings: fileOf(basename(settings.file), moved ? document.toString() : text),
    files: unique(files),
    shipped: await shippedDigests(settings),
    pauses: Object.fromEntries(Object.entries(pauses).filter(([, each]) => each.length > 0)),
    secrets: secretsIn(text),
  };
}

interface PathInSettings {
  /** As the settings write it. */
  readonly at: { readonly value: string; set(path: string): void };
  /** What its files are gathered under where it lies elsewhere; plans are single files. */
  readonly folder: "mappings" | "plans";
}

/** Mapping folders and plans: all that the settings take other files from. */
function pathsIn(document: Document): PathInSettings[] {
  const found: PathInSettings[] = [];
  const scalar = (node: unknown, folder: PathInSettings["folder"]) => {
    if (!isScalar(node) || typeof node.value !== "string") return;
    const set = (path: string) => {
      node.value = path;
    };
    found.push({ at: { value: node.value, set }, folder });
  };
  const folders = document.get("mappingFolders");
  if (isSeq(folders)) for (const each of folders.items) scalar(each, "mappings");
  const companies = document.get("companies");
  for (const company of isMap(companies) ? companies.items : []) {
    const plans = isMap(company.value) ? company.value.getIn(["pay", "plans"]) : undefined;
    for (const plan of isMap(plans) ? plans.items : []) scalar(plan.value, "plans");
  }
  return found;
}

/** A path that leads out of the settings' folder is given one inside. */
async function take(
  base: string,
  { value }: PathInSettings["at"],
  folder: PathInSettings["folder"],
): Promise<{ path: string; taken: BundleFile[] }> {
  const from = isAbsolute(value) ? value : resolve(base, value);
  const inside = relative(base, from);
  const leaves = inside === "" || inside.startsWith("..") || isAbsolute(inside);
  const path = leaves ? `${folder}/${basename(from)}` : isAbsolute(value) ? slashed(inside) : value;
  const names = folder === "plans" ? [""] : await setFiles(from);
  const taken = names.map(async (name) =>
    fileOf(slashed(join(path, name)), await readFile(join(from, name), "utf8")),
  );
  return { path, taken: await Promise.all(taken) };
}

function slashed(path: string): string {
  return path.split(sep).join("/");
}

/** Of mapping sets and policies: YAML in folders one deep. */
async function setFiles(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory())
      for (const name of await readdir(join(folder, entry.name)))
        if (name.endsWith(".yaml")) names.push(join(entry.name, name));
  return names.toSorted();
}

export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function fileOf(path: string, text: string): BundleFile {
  return { path, sha256: digestOf(text), text };
}

function unique(files: readonly BundleFile[]): BundleFile[] {
  const byPath = new Map(files.map((each) => [each.path, each]));
  const odd = files.find((each) => byPath.get(each.path)?.sha256 !== each.sha256);
  if (odd !== undefined)
    throw new BundleProblem(
      `Exporting: two files would be ${odd.path}, from folders of the same name outside the ` +
        "settings' folder. Give one of the folders another name.",
    );
  return [...byPath.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

const ROOT = join(import.meta.dirname, "..", "..");

export async function productVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  return z.object({ version: z.string() }).parse(manifest).version;
}

/** Of what is used and came with the product: another version of it may ship another. */
export async function shippedDigests(settings: Settings): Promise<Record<string, string>> {
  const used = Object.values(settings.companies).flatMap(({ connections, pricing }) => [
    pricing.policy,
    ...Object.values(connections).map(({ mappings }) => mappings),
  ]);
  const own = new Set<string>();
  for (const folder of settings.mappingFolders)
    for (const path of await setFiles(folder)) own.add(dirname(path));
  const digests: Record<string, string> = {};
  for (const name of [...new Set(used)].filter((each) => !own.has(each)).toSorted()) {
    const folder = join(ROOT, "mappings", name);
    const names = await readdir(folder).catch(() => []);
    const texts = names
      .filter((each) => each.endsWith(".yaml"))
      .toSorted()
      .map((each) => readFile(join(folder, each), "utf8"));
    if (texts.length > 0) digests[name] = digestOf((await Promise.all(texts)).join("\0"));
  }
  return digests;
}

/** Keys whose value is a secret where somebody wrote one into the settings all the same. */
const SECRET_KEY = /(?:password|passphrase|token|apikey|api_key|clientsecret|client_secret)$/i;
/** Names of secrets and files are none. */
const NAMES_ONE = /(?:secret|file|name|folder|path)$/i;

/** Throws where a setting is, or holds, a secret: an address with a password, a key in clear. */
function refuseSecrets(settings: Settings): void {
  const odd = settings.effective().filter(({ name, value, line }) => {
    if (line === null || typeof value !== "string" || value === "") return false;
    // Shown as `…@`: an address that holds a user, a password or a query.
    if (/:\/\/…@|\?…$/.test(value)) return true;
    const key = name.split(".").at(-1) ?? "";
    return SECRET_KEY.test(key) && !NAMES_ONE.test(key);
  });
  const [first] = odd;
  if (first === undefined) return;
  throw new BundleProblem(
    `Exporting ${settings.file}: line ${first.line ?? "?"}, ${first.name}, holds what looks like a ` +
      "secret, and a bundle never holds one. Put it into the environment as " +
      "TRADEPOST_SECRET_NAME, and name it there.",
  );
}

/** "urlSecret: slack": what must be set where it is imported. */
function secretsIn(text: string): string[] {
  const names: string[] = [];
  visit(parseDocument(text), {
    Pair: (_, { key, value }) => {
      if (!isScalar(key) || !/^[A-Za-z]*[sS]ecret$/.test(String(key.value))) return;
      if (isScalar(value) && typeof value.value === "string") names.push(value.value);
    },
  });
  return [...new Set(names)].toSorted();
}
