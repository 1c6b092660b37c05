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
 *
 * What nobody has taken yet can be taken back: `take-back.ts`.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ConnectorFault } from "../contract.ts";
import type {
  DropCall,
  Found,
  Host,
  OrderCall,
  OrdersCapability,
  Outcome,
  RenderedOrder,
} from "../contract.ts";
import { openDiskFolder } from "./disk.ts";
import { described, filesOf, headerName, told, type DropFile } from "./drop-files.ts";
import {
  digestAt,
  isOf,
  isStaged,
  JOURNAL,
  ORDERS,
  placesOf,
  readEntry,
  said,
  STAGED,
  stagedOf,
  takenBackBefore,
  type DropBoxOptions,
  type Dropping,
  type Entry,
  type Places,
} from "./drop-journal.ts";
import { isTaken } from "./folder.ts";
import { mustBeThere } from "./inbox.ts";
import { setAside, takeBack, withdraw } from "./take-back.ts";

/** The journal entry before it is one; it goes with what was staged. */
const ENTRY = ".entry.json";

export function openDropBox(given: DropBoxOptions, host: Host): OrdersCapability {
  const { folder } = given;
  const options = {
    ...given,
    folder: typeof folder === "string" ? openDiskFolder(folder) : folder,
    goOn: () => Promise.resolve(),
  };
  return {
    finding: "file-drop",
    find: (key, call) => find({ ...options, goOn: () => stillAsked(call) }, key, call ?? {}),
    place: (order, call) => place({ ...options, goOn: () => stillAsked(call) }, order, host),
    again: (key, { who, why }, call) =>
      setAside({ ...options, goOn: () => stillAsked(call) }, key, {
        who,
        why,
        at: host.now().toString(),
      }),
    takeBack: (key, why, call) =>
      takeBack(
        { ...options, goOn: () => stillAsked(call) },
        key,
        { why, at: host.now().toString() },
        call ?? {},
      ),
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
  { order, known }: Pick<DropCall, "order" | "known">,
): Promise<Found> {
  const { folder } = options;
  const places = placesOf(options, key);
  try {
    await mustBeThere(folder);
    const entry = await readEntry(places, key);
    if (entry === null || (await isStaged(places, entry, headerName(key)))) {
      const [forgotten] = known === undefined ? [] : await takenBackBefore(places, key, known);
      return forgotten === undefined ? { kind: "absent" } : takenBackOnce(forgotten);
    }
    await finish(options, places, entry);
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

/** By whoever the host was before its database was restored. */
function takenBackOnce(entry: Entry): Found {
  const why = entry.takenBack?.why ?? "";
  return {
    kind: "another",
    reason: `${said(entry)} Why, says its journal: "${why}" Nothing here knows of that, and nothing of it lies there`,
  };
}

async function place(options: Dropping, order: RenderedOrder, host: Host): Promise<Outcome> {
  const places = placesOf(options, order.key);
  const files = filesOf(order, options.delimiter);
  try {
    const entry = await readEntry(places, order.key);
    if (entry !== null && !(await isStaged(places, entry, headerName(order.key)))) {
      await finish(options, places, entry);
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
  await finish(options, places, entry);
  return null;
}

/** The header is out: that is made durable, also after a kill, and what was staged is cleared. */
async function finish({ goOn }: Dropping, { folder }: Places, entry: Entry): Promise<void> {
  const staged = stagedOf(entry);
  if (!(await isTaken(folder, staged))) return;
  await folder.settle(ORDERS);
  // A call that comes back late must not remove a header that was taken back meanwhile.
  await goOn();
  await folder.removeFolder(staged);
}

async function handedOver({ folder }: Places, entry: Entry): Promise<Outcome> {
  const header = entry.files.find(({ name }) => name === headerName(entry.key));
  const waits = await isTaken(folder, `${ORDERS}/${headerName(entry.key)}`);
  const state = waits ? "it waits in orders/ to be taken" : "it was taken from orders/";
  return {
    kind: "handedOver",
    waits,
    evidence:
      `${headerName(entry.key)} with SHA-256 ${header?.sha256 ?? "unknown"}, ` +
      `journalled at ${entry.at}: ${state}.`,
  };
}

function foreignFile(key: string, path: string): string {
  return (
    `Dropping order ${key}: ${path} is there already and is not ours. Nothing was overwritten and ` +
    "the order is not handed over. Move that file away; the next try goes on."
  );
}
