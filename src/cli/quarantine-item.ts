/** One item of quarantine whole, as a person reads it. */
import type { QuarantineDesk } from "../sync/index.ts";
import type { Answer, Opened } from "./command.ts";
import { count, moment, plain, pounds, words } from "./print.ts";

type Item = Awaited<ReturnType<QuarantineDesk["find"]>>;

/** All there is to know of it: whence, since when, what is wrong, what to do, what was done. */
export async function shownItem(opened: Opened, item: Item): Promise<Answer> {
  const { company } = opened;
  const raw = item.raw === "" ? await company.originalOf(item.originId, item.line) : item.raw;
  const aside = item.line === 0 ? await company.asideOf(item.originId) : null;
  const [held, history] = await Promise.all([company.desk.held(item), company.desk.history(item)]);
  const at = (instant: Temporal.Instant) => moment(instant, company.settings.timeZone);
  const text = [
    `item      ${item.id} (${item.state})`,
    `from      ${item.originName}${item.line === 0 ? "" : `, line ${item.line}`} (${item.connection}/${item.stream})`,
    `run       ${item.runId}`,
    `opened    ${at(item.openedAt)}${sinceText(item, at)}`,
    ...(item.closedAt === null ? [] : [`closed    ${at(item.closedAt)} by ${item.closedBy}`]),
    `at risk   ${pounds(item.worth)}${item.customers === null ? "" : `, ${count(item.customers)} customer(s)`}`,
    ...correctionLines(item),
    aside === null
      ? `raw       ${raw ?? "(the original is no longer where it was kept)"}`
      : `lies at   ${aside}`,
    ...columnLines(item),
    ...(held === null
      ? []
      : [`held now  ${shownFields(held.fields)} (learned ${at(held.learnedAt)})`]),
    ...history.map(
      (event) =>
        `done      ${at(event.at)} ${words(event.action)} by ${event.who}${detailsOf(event)}`,
    ),
    ...item.problems.flatMap((problem) => [
      "",
      problem.field === ""
        ? `problem   the whole ${item.line === 0 ? "file" : "row"}: ${problem.found}`
        : `problem   ${problem.field}: found ${problem.found}`,
      `expected  ${problem.expected}`,
      `do        ${problem.instruction}`,
    ]),
    ...(aside === null
      ? []
      : [`          The file is untouched: to have it read, move it back to out/ from ${aside}.`]),
    ...mappingLines(opened, item),
  ].join("\n");
  return { text, data: { ...item, raw, aside, held, history } };
}

/** How to change a mapping that the next version of the product would write over. */
function mappingLines({ company }: Opened, { state, mapping }: Item): string[] {
  const folder = mapping === null || state !== "open" ? null : company.shippedFolder(mapping);
  if (folder === null) return [];
  return [
    "",
    `mapping   ${mapping}.yaml comes with Tradepost, and an upgrade replaces it. To change it, copy`,
    `          ${folder} into a folder of your own, and name that folder under`,
    "          `mappingFolders` in the settings: your copy is used from then on.",
  ];
}

function sinceText(
  { firstSeenAt, openedAt, cameAgain }: Item,
  at: (instant: Temporal.Instant) => string,
): string {
  const since = firstSeenAt.equals(openedAt) ? "" : `, its row came first ${at(firstSeenAt)}`;
  return cameAgain === 0 ? since : `${since}, came again ${count(cameAgain)} time(s) unchanged`;
}

function correctionLines({ correction, correctionHolds }: Item): string[] {
  if (correction === null) return [];
  const columns = Object.entries(correction.columns).map(([name, value]) => `${name}=${value}`);
  const by = correction.who === null ? "" : ` by ${correction.who}`;
  return [
    `corrected ${columns.join(", ")}${by}; ` +
      (correctionHolds
        ? "it holds, and the record stays so, until the source is mended"
        : "it holds no longer, since the source has said otherwise"),
  ];
}

function columnLines({ values }: Item): string[] {
  if (values === null) return [];
  // The database keeps no order of columns.
  const columns = Object.entries(values).sort(([one], [other]) => one.localeCompare(other));
  return columns.map(
    ([column, value], index) =>
      `${index === 0 ? "columns " : "        "}  ${column} = ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
}

export function shownFields(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== null)
    .map(
      ([name, value]) =>
        `${name} ${typeof value === "number" ? plain(String(value)) : String(value)}`,
    )
    .join(", ");
}

function detailsOf({ details }: { readonly details: Readonly<Record<string, unknown>> }): string {
  const told = Object.entries(details).map(([name, value]) =>
    name === "why" ? String(value) : `${name} ${String(value)}`,
  );
  return told.length === 0 ? "" : `: ${told.join(", ")}`;
}
