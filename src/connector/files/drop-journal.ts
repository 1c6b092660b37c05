/** What a drop box remembers of each order that it dropped, and where its files are meanwhile. */
import { z } from "zod";
import { ConnectorFault } from "../contract.ts";
import { described, fileShape, headerName, sha256Of, type DropFile } from "./drop-files.ts";
import { freePath, isTaken } from "./folder.ts";
import type { Folder } from "./folder.ts";
import { fileNameProblem } from "./names.ts";
import type { Delimiter } from "./scan.ts";

export interface DropBoxOptions {
  /** The connection's folder, a path on a disk or one elsewhere; orders go to its `orders/`. */
  readonly folder: string | Folder;
  readonly delimiter: Delimiter;
  /** Called after each step; a test stops there, as a kill would. */
  readonly probe?: (step: DropStep) => void;
}

export type DropStep =
  | { readonly done: "staged" | "moved" | "withdrawn"; readonly file: string }
  | { readonly done: "journalled" | "unjournalled" | "set aside" | "taken back" | "put back" };

const entryShape = z.object({
  key: z.string(),
  at: z.string(),
  /** Folder in which its files were staged; absent: one of the key's name. */
  staged: z.string().optional(),
  /** In the order in which they are dropped: details, manifest, header. */
  files: z.array(fileShape),
  /** Absent: it was not taken back. */
  takenBack: z.object({ why: z.string(), at: z.string() }).optional(),
});
export type Entry = Readonly<z.infer<typeof entryShape>>;

export interface Dropping extends DropBoxOptions {
  readonly folder: Folder;
  /** Before each step of a call: throws once the call was given up. */
  readonly goOn: () => Promise<void>;
}

/** Of one order. */
export interface Places {
  readonly folder: Folder;
  readonly journal: string;
}

export const ORDERS = "orders";
export const STAGED = `${ORDERS}/.staged`;
export const JOURNAL = `${ORDERS}/.journal`;
/** Entries of drops that a person has said never came, and of those that were taken back. */
const BEFORE = `${JOURNAL}/before`;
/** What lies in our own folders is never large; anything else there is not ours. */
const MOST_BYTES = 67_108_864;

export function isStaged({ folder }: Places, entry: Entry, name: string): Promise<boolean> {
  return isTaken(folder, `${stagedOf(entry)}/${name}`);
}

export const stagedOf = ({ key, staged = key }: Entry): string => `${STAGED}/${staged}`;

export async function readEntry({ folder, journal }: Places, key: string): Promise<Entry | null> {
  const content = await folder.content(journal, MOST_BYTES);
  if (content === null) return null;
  const entry = entryShape.safeParse(parsedJson(content.toString("utf8"))).data;
  // A file system that does not tell capitals apart finds the entry of another order.
  if (entry?.key === key) return entry;
  throw new ConnectorFault(
    "defect",
    entry === undefined
      ? `The journal entry ${folder.show(journal)} cannot be read.`
      : `The journal entry ${folder.show(journal)} is that of order ${entry.key}.`,
    "Look in the other system whether it has the order, and mend or remove the entry accordingly.",
  );
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Why an entry counts no more, and from when on. */
export type Aside =
  | { readonly again: { readonly who: string; readonly why: string; readonly at: string } }
  | { readonly takenBack: { readonly why: string; readonly at: string } };

/** Keeps the entry with the reason, and gives the path. */
export async function keepBefore({ folder }: Places, entry: Entry, aside: Aside): Promise<string> {
  await folder.makeFolder(BEFORE);
  const kept = await freePath(folder, `${BEFORE}/${entry.key}.json`);
  await folder.write(kept, `${JSON.stringify({ ...entry, ...aside }, null, 2)}\n`);
  await folder.settle(BEFORE);
  return kept;
}

/** The order's entries that count no more. */
export async function entriesBefore({ folder }: Places, key: string): Promise<readonly Entry[]> {
  const kept = (await isTaken(folder, BEFORE)) ? await folder.list(BEFORE) : [];
  const entries: Entry[] = [];
  for (const { name } of kept) {
    if (!name.startsWith(key)) continue;
    const content = await folder.content(`${BEFORE}/${name}`, MOST_BYTES);
    const entry = entryShape.safeParse(parsedJson(content?.toString("utf8") ?? "")).data;
    if (entry?.key === key) entries.push(entry);
  }
  return entries.toSorted((a, b) => (a.at < b.at ? -1 : 1));
}

/** True: what was dropped then is what is asked about now. */
export function isOf(entry: Entry, files: readonly DropFile[]): boolean {
  return JSON.stringify(entry.files) === JSON.stringify(files.map(described));
}

/** What was taken back of the order, the oldest first, but for what the host knows of. */
export async function takenBackBefore(
  places: Places,
  key: string,
  known: readonly string[] = [],
): Promise<readonly Entry[]> {
  const before = await entriesBefore(places, key);
  return before.filter(
    (entry) => entry.takenBack !== undefined && !known.some((told) => told.includes(said(entry))),
  );
}

/** In a sentence, by which the host's book and the journal are compared, too. */
export function said({ key, at }: Entry): string {
  return `What was dropped as ${headerName(key)} at ${at} was taken back before it was taken from orders/.`;
}

/** Of a file in `orders/`; null when there is none. */
export async function digestAt({ folder }: Places, name: string): Promise<string | null> {
  const content = await folder.content(`${ORDERS}/${name}`, MOST_BYTES);
  return content === null ? null : sha256Of(content);
}

export function placesOf({ folder }: Dropping, key: string): Places {
  const problem = fileNameProblem(key);
  if (problem !== null) {
    throw new ConnectorFault(
      "refused",
      `The order number ${JSON.stringify(key)} cannot be a file name: ${problem}.`,
      "Give orders numbers of letters, digits, dashes and underscores.",
    );
  }
  return { folder, journal: `${JOURNAL}/${key}.json` };
}
