/**
 * Taking back what was dropped, as long as the other system has not taken it. The header decides,
 * as it does when an order is dropped, and one rename is the moment:
 *
 *     1 the header is renamed back to where it was staged: from here on it is not handed over
 *     2 only then the others are looked at: one that is gone was just being taken, and the header
 *       is put back, so that the other system finds all of it
 *     3 the journal's entry goes to orders/.journal/before/ with the reason: now it is decided
 *     4 details and manifest are removed; without a header nobody has taken them for an order
 *
 * After a kill between any two steps the next call goes on where that one was.
 */
import { ConnectorFault, type DropCall } from "../contract.ts";
import { filesOf, headerName, sha256Of } from "./drop-files.ts";
import {
  digestAt,
  isOf,
  isStaged,
  JOURNAL,
  keepBefore,
  ORDERS,
  placesOf,
  readEntry,
  said,
  stagedOf,
  takenBackBefore,
  type Dropping,
  type Entry,
  type Places,
} from "./drop-journal.ts";
import { isTaken } from "./folder.ts";
import { mustBeThere } from "./inbox.ts";

/**
 * What was taken back, in a sentence, now or by a call before that the host knows nothing of; null:
 * the other system has taken it, or is at it, or another's was dropped, and nothing was changed.
 */
export async function takeBack(
  options: Dropping,
  key: string,
  takenBack: { readonly why: string; readonly at: string },
  { order, known }: Pick<DropCall, "order" | "known">,
): Promise<string | null> {
  const { folder } = options;
  const places = placesOf(options, key);
  try {
    await mustBeThere(folder);
    const entry = await readEntry(places, key);
    if (entry === null) {
      const before = await takenBackBefore(places, key, known);
      for (const one of before) await clear(options, places, one);
      const last = before.at(-1);
      return last === undefined ? null : said(last);
    }
    if (order !== undefined && !isOf(entry, filesOf(order, options.delimiter))) return null;
    const header = headerName(key);
    if (!(await isStaged(places, entry, header)) && !(await headerBack(options, places, entry)))
      return null;
    if (!(await isWhole(places, entry))) {
      await putBack(options, places, entry);
      return null;
    }
    await keepBefore(places, entry, { takenBack });
    await unjournal(options, places);
    await clear(options, places, entry);
    return said(entry);
  } catch (error) {
    throw folder.fault(`Taking order ${key} back from ${folder.show(ORDERS)}`, error);
  }
}

/** False: there is no header to take back any more. */
async function headerBack(options: Dropping, places: Places, entry: Entry): Promise<boolean> {
  const { folder } = places;
  const header = `${ORDERS}/${headerName(entry.key)}`;
  if (!(await isTaken(folder, header))) return false;
  await folder.makeFolder(stagedOf(entry));
  await options.goOn();
  try {
    await folder.rename(header, stagedHeader(entry));
  } catch (error) {
    // It was taken between our look and our rename.
    if (!(await isTaken(folder, header))) return false;
    throw error;
  }
  options.probe?.({ done: "taken back" });
  for (const path of [stagedOf(entry), ORDERS]) await folder.settle(path);
  return true;
}

const stagedHeader = (entry: Entry): string => `${stagedOf(entry)}/${headerName(entry.key)}`;

/** All that was dropped is still here, in `orders/` or staged, as it was written. */
async function isWhole(places: Places, entry: Entry): Promise<boolean> {
  for (const { name, sha256, bytes } of entry.files) {
    const staged = await places.folder.content(`${stagedOf(entry)}/${name}`, bytes + 1);
    const digest = staged === null ? await digestAt(places, name) : sha256Of(staged);
    if (digest !== sha256) return false;
  }
  return true;
}

async function putBack(options: Dropping, { folder }: Places, entry: Entry): Promise<void> {
  const header = `${ORDERS}/${headerName(entry.key)}`;
  if (await isTaken(folder, header))
    throw new ConnectorFault(
      "defect",
      `Order ${entry.key}: ${folder.show(header)} is there already and is not ours.`,
      "Move that file away; the next try goes on.",
    );
  await options.goOn();
  await folder.rename(stagedHeader(entry), header);
  await folder.settle(ORDERS);
  await folder.removeFolder(stagedOf(entry));
  options.probe?.({ done: "put back" });
}

/**
 * The entry is kept, with who decided; what is left of that drop is taken back. What was taken back
 * before is told, so that whoever asks knows of it from now on.
 */
export async function setAside(
  options: Dropping,
  key: string,
  again: { readonly who: string; readonly why: string; readonly at: string },
): Promise<string | null> {
  const { folder } = options;
  const places = placesOf(options, key);
  try {
    const entry = await readEntry(places, key);
    const before = (await takenBackBefore(places, key)).map(said);
    if (entry === null || (await isStaged(places, entry, headerName(key))))
      return before.length === 0 ? null : before.join(" ");
    const header = `${ORDERS}/${headerName(key)}`;
    if (await isTaken(folder, header))
      throw new ConnectorFault(
        "refused",
        `Order ${key} waits in ${folder.show(header)} to be taken.`,
        "Let the other system take it, or move its files away first.",
      );
    const kept = await keepBefore(places, entry, { again });
    await withdraw(options, places, entry);
    options.probe?.({ done: "set aside" });
    const now = `The drop of ${entry.at} is kept in ${folder.show(kept)}, and the order is dropped anew.`;
    return [now, ...before].join(" ");
  } catch (error) {
    throw folder.fault(`Setting the journal entry of order ${key} aside`, error);
  }
}

/**
 * The order was rendered anew before its header was dropped, or is dropped again: what lies in
 * `orders/` of it is ours to take back.
 */
export async function withdraw(options: Dropping, places: Places, entry: Entry): Promise<void> {
  await removeDropped(options, places, entry);
  await unjournal(options, places);
}

async function clear(options: Dropping, places: Places, entry: Entry): Promise<void> {
  await removeDropped(options, places, entry);
  await places.folder.removeFolder(stagedOf(entry));
}

async function removeDropped(options: Dropping, places: Places, entry: Entry): Promise<void> {
  for (const { name, sha256 } of entry.files) {
    if ((await digestAt(places, name)) !== sha256) continue;
    await options.goOn();
    await places.folder.remove(`${ORDERS}/${name}`);
    options.probe?.({ done: "withdrawn", file: name });
  }
  await places.folder.settle(ORDERS);
}

async function unjournal(options: Dropping, { folder, journal }: Places): Promise<void> {
  await folder.remove(journal);
  await folder.settle(JOURNAL);
  options.probe?.({ done: "unjournalled" });
}
