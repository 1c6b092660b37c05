/**
 * Drops an order into `orders/` exactly once. The other system takes an order when its header file
 * is there, so one rename is the moment of handing over:
 *
 *     1 the files, whole and flushed, under orders/.staged/<key>.<call>/
 *     2 the journal entry orders/.journal/<key>.json, flushed: what will be dropped, with digests
 *     3 details → orders/, manifest → orders/, last of all the header → orders/
 *
 * A header still staged: not handed over, `place` completes it. A journal entry and no staged
 * header: handed over, whatever became of the files since. A kill between any two steps leaves one
 * of the two.
 *
 * A number can come twice: after a database was restored, or begun anew over an old folder. So an
 * entry is an order's own only where it has the order's content; another's is told, with both.
 *
 * Each call stages in a folder of its own, which its entry names: one that was given up, and comes
 * back when another has dropped the order, has nothing that it could drop.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ConnectorFault } from "../contract.ts";
import type {
  Found,
  Host,
  OrderCall,
  OrdersCapability,
  Outcome,
  RenderedOrder,
} from "../contract.ts";
import { openDiskFolder } from "./disk.ts";
import {
  described,
  fileShape,
  filesOf,
  headerName,
  sha256Of,
  told,
  type DropFile,
} from "./drop-files.ts";
import { freePath, isTaken } from "./folder.ts";
import type { Folder } from "./folder.ts";
import { OUT } from "./inbox.ts";
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
  | { readonly done: "journalled" | "unjournalled" | "set aside" };

const entryShape = z.object({
  key: z.string(),
  at: z.string(),
  /** Folder in which its files were staged; absent: one of the key's name. */
  staged: z.string().optional(),
  /** In the order in which they are dropped: details, manifest, header. */
  files: z.array(fileShape),
});
type Entry = Readonly<z.infer<typeof entryShape>>;

interface Dropping extends DropBoxOptions {
  readonly folder: Folder;
  /** Before each step of a call: throws once the call was given up. */
  readonly goOn: () => Promise<void>;
}

/** Of one order. */
interface Places {
  readonly folder: Folder;
  readonly journal: string;
}

const ORDERS = "orders";
const STAGED = `${ORDERS}/.staged`;
const JOURNAL = `${ORDERS}/.journal`;
/** Entries of drops that a person has said never came, so that the order was dropped again. */
const BEFORE = `${JOURNAL}/before`;
/** The journal entry before it is one; it goes with what was staged. */
const ENTRY = ".entry.json";
/** What lies in our own folders is never large; anything else there is not ours. */
const MOST_BYTES = 67_108_864;

export function openDropBox(given: DropBoxOptions, host: Host): OrdersCapability {
  const { folder } = given;
  const options = {
    ...given,
    folder: typeof folder === "string" ? openDiskFolder(folder) : folder,
    goOn: () => Promise.resolve(),
  };
  return {
    finding: "file-drop",
    find: (key, call) => find(options, key, call?.order),
    place: (order, call) => place({ ...options, goOn: () => stillAsked(call) }, order, host),
    again: (key, { who, why }, call) =>
      setAside({ ...options, goOn: () => stillAsked(call) }, key, {
        who,
        why,
        at: host.now().toString(),
      }),
  };
}

/**
 * A process that was stopped for a while learns that a call was given up when its timers run, so
 * they run first.
 */
async function stillAsked(call: OrderCall | undefined): Promise<void> {
  if (call === undefined) return;
  await sleep(0);
  call.signal.throwIfAborted();
}

async function find(
  options: Dropping,
  key: string,
  order: RenderedOrder | undefined,
): Promise<Found> {
  const { folder } = options;
  const places = placesOf(options, key);
  try {
    // A share that is not mounted looks like an empty folder: out/ tells the two apart.
    if (!(await isTaken(folder, OUT)))
      throw Object.assign(new Error(`${folder.show(OUT)} is not there`), { code: "ENOENT" });
    const entry = await readEntry(places, key);
    if (entry === null || (await isStaged(places, entry, headerName(key)))) {
      return { kind: "absent" };
    }
    await finish(places, entry);
    const files = order === undefined ? null : filesOf(order, options.delimiter);
    if (files !== null && !isOf(entry, files))
      return { kind: "another", reason: await differsFrom(places, entry, files) };
    return { kind: "present", outcome: await handedOver(places, entry) };
  } catch (error) {
    const doing = `Looking for order ${key} in ${folder.show(ORDERS)}`;
    const { message, instruction } = folder.fault(doing, error);
    return { kind: "cannotTell", reason: `${message} ${instruction}` };
  }
}

async function place(options: Dropping, order: RenderedOrder, host: Host): Promise<Outcome> {
  const places = placesOf(options, order.key);
  const files = filesOf(order, options.delimiter);
  try {
    const entry = await readEntry(places, order.key);
    if (entry !== null && !(await isStaged(places, entry, headerName(order.key)))) {
      await finish(places, entry);
      if (isOf(entry, files)) return await handedOver(places, entry);
      return { kind: "notNow", reason: await differsFrom(places, entry, files) };
    }
    const ready = entry !== null && (await isReady(places, entry, files));
    if (entry !== null && !ready) await withdraw(options, places, entry);
    const current = ready ? entry : await stage(options, places, order.key, files, host);
    const foreign = await handOver(options, places, current);
    if (foreign !== null) return { kind: "notNow", reason: foreign };
    return await handedOver(places, current);
  } catch (error) {
    const { folder } = options;
    throw folder.fault(`Dropping order ${order.key} into ${folder.show(ORDERS)}`, error);
  }
}

/**
 * What was journalled is what is asked for now, and each file is staged still or dropped already.
 */
async function isReady(places: Places, entry: Entry, files: readonly DropFile[]): Promise<boolean> {
  if (!isOf(entry, files)) return false;
  for (const { name, sha256 } of entry.files) {
    if (await isStaged(places, entry, name)) continue;
    if ((await digestAt(places, name)) !== sha256) return false;
  }
  return true;
}

function isOf(entry: Entry, files: readonly DropFile[]): boolean {
  return JSON.stringify(entry.files) === JSON.stringify(files.map(described));
}

/** Both, so that a person can tell what was dropped from what is to be. */
async function differsFrom(
  { folder }: Places,
  entry: Entry,
  files: readonly DropFile[],
): Promise<string> {
  const header = `${ORDERS}/${headerName(entry.key)}`;
  const state = (await isTaken(folder, header)) ? "It waits there still." : "It was taken.";
  return (
    `Another content was dropped as ${entry.key} at ${entry.at}: ${told(entry.files)}. ${state} ` +
    `To be dropped is ${told(files.map(described))}, and nothing of that was dropped`
  );
}

/** The entry is kept, with who decided; what is left of that drop is taken back. */
async function setAside(
  options: Dropping,
  key: string,
  again: { readonly who: string; readonly why: string; readonly at: string },
): Promise<string | null> {
  const { folder } = options;
  const places = placesOf(options, key);
  try {
    const entry = await readEntry(places, key);
    if (entry === null || (await isStaged(places, entry, headerName(key)))) return null;
    const header = `${ORDERS}/${headerName(key)}`;
    if (await isTaken(folder, header))
      throw new ConnectorFault(
        "refused",
        `Order ${key} waits in ${folder.show(header)} to be taken.`,
        "Let the other system take it, or move its files away first.",
      );
    await folder.makeFolder(BEFORE);
    const kept = await freePath(folder, `${BEFORE}/${key}.json`);
    await folder.write(kept, `${JSON.stringify({ ...entry, again }, null, 2)}\n`);
    await folder.settle(BEFORE);
    await withdraw(options, places, entry);
    options.probe?.({ done: "set aside" });
    return `The drop of ${entry.at} is kept in ${folder.show(kept)}, and the order is dropped anew.`;
  } catch (error) {
    throw folder.fault(`Setting the journal entry of order ${key} aside`, error);
  }
}

/**
 * The order was rendered anew before its header was dropped, or is dropped again: what lies in
 * `orders/` of it is ours to take back.
 */
async function withdraw(options: Dropping, places: Places, entry: Entry): Promise<void> {
  for (const { name, sha256 } of entry.files) {
    if ((await digestAt(places, name)) !== sha256) continue;
    await options.goOn();
    await places.folder.remove(`${ORDERS}/${name}`);
    options.probe?.({ done: "withdrawn", file: name });
  }
  await places.folder.settle(ORDERS);
  await places.folder.remove(places.journal);
  await places.folder.settle(JOURNAL);
  options.probe?.({ done: "unjournalled" });
}

async function stage(
  options: Dropping,
  places: Places,
  key: string,
  files: readonly DropFile[],
  host: Host,
): Promise<Entry> {
  const { folder } = places;
  const name = `${key}.${randomUUID()}`;
  const staged = `${STAGED}/${name}`;
  // Without a journal entry nothing of this order was ever handed over.
  await clearStaged(options, key);
  await options.goOn();
  await folder.makeFolder(staged);
  await folder.makeFolder(JOURNAL);
  for (const { name, content } of files) {
    await folder.write(`${staged}/${name}`, content);
    options.probe?.({ done: "staged", file: name });
  }
  for (const path of [staged, STAGED, ORDERS]) await folder.settle(path);
  const entry: Entry = {
    key,
    at: host.now().toString(),
    staged: name,
    files: files.map(described),
  };
  const written = `${staged}/${ENTRY}`;
  await folder.write(written, `${JSON.stringify(entry, null, 2)}\n`);
  await options.goOn();
  await entryIsFree(places, key, staged);
  await folder.rename(written, places.journal);
  await folder.settle(JOURNAL);
  options.probe?.({ done: "journalled" });
  return entry;
}

/** Whoever wrote one meanwhile hands the order over; this call has come back too late. */
async function entryIsFree(
  { folder, journal }: Places,
  key: string,
  staged: string,
): Promise<void> {
  if (!(await isTaken(folder, journal))) return;
  await folder.removeFolder(staged);
  throw new ConnectorFault(
    "transient",
    `Order ${key} was dropped by another call meanwhile.`,
    "Nothing of this call was dropped; the journal tells how the order stands.",
  );
}

/** What calls have left that were killed or given up before their entry was written. */
async function clearStaged({ folder, goOn }: Dropping, key: string): Promise<void> {
  const left = (await isTaken(folder, STAGED)) ? await folder.list(STAGED) : [];
  for (const { name } of left) {
    if (name !== key && !name.startsWith(`${key}.`)) continue;
    await goOn();
    await folder.removeFolder(`${STAGED}/${name}`);
  }
}

/** Null: it is. Else what stands in its way, with the header still staged. */
async function handOver(options: Dropping, places: Places, entry: Entry): Promise<string | null> {
  const { folder } = places;
  for (const { name } of entry.files) {
    const to = `${ORDERS}/${name}`;
    if (!(await isStaged(places, entry, name))) continue;
    if (await isTaken(folder, to)) return foreignFile(entry.key, folder.show(to));
    // All that the header speaks of is durable before the header can be seen.
    await folder.settle(ORDERS);
    await options.goOn();
    await folder.rename(`${stagedOf(entry)}/${name}`, to);
    options.probe?.({ done: "moved", file: name });
  }
  await finish(places, entry);
  return null;
}

/** The header is out: that is made durable, also after a kill, and what was staged is cleared. */
async function finish({ folder }: Places, entry: Entry): Promise<void> {
  const staged = stagedOf(entry);
  if (!(await isTaken(folder, staged))) return;
  await folder.settle(ORDERS);
  await folder.removeFolder(staged);
}

function isStaged({ folder }: Places, entry: Entry, name: string): Promise<boolean> {
  return isTaken(folder, `${stagedOf(entry)}/${name}`);
}

const stagedOf = ({ key, staged = key }: Entry): string => `${STAGED}/${staged}`;

async function handedOver({ folder }: Places, entry: Entry): Promise<Outcome> {
  const header = entry.files.find(({ name }) => name === headerName(entry.key));
  const waits = await isTaken(folder, `${ORDERS}/${headerName(entry.key)}`);
  const state = waits ? "it waits in orders/ to be taken" : "it was taken from orders/";
  return {
    kind: "handedOver",
    evidence:
      `${headerName(entry.key)} with SHA-256 ${header?.sha256 ?? "unknown"}, ` +
      `journalled at ${entry.at}: ${state}.`,
  };
}

async function readEntry({ folder, journal }: Places, key: string): Promise<Entry | null> {
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

/** Of a file in `orders/`; null when there is none. */
async function digestAt({ folder }: Places, name: string): Promise<string | null> {
  const content = await folder.content(`${ORDERS}/${name}`, MOST_BYTES);
  return content === null ? null : sha256Of(content);
}

function placesOf({ folder }: Dropping, key: string): Places {
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

function foreignFile(key: string, path: string): string {
  return (
    `Dropping order ${key}: ${path} is there already and is not ours. Nothing was overwritten and ` +
    "the order is not handed over. Move that file away; the next try goes on."
  );
}
