/**
 * The universal way in: any system that can write CSV files into a folder and take order files from
 * one. The rules of files live in the kit; here are the settings and the streams.
 *
 *     erp: { connector: csv, settings: { folder: /srv/erp } }
 */
import { z } from "zod";
import { defineConnector } from "#connector";
import { openFileSession, patternProblem } from "#connector/files";
import type { Delimiter, FileStream } from "#connector/files";
import { openSftpFolder, sftpSettings } from "#connector/sftp";

/** Streams of the Tradepost CSV layout, one per record of the canonical vocabulary. */
const LAYOUT: readonly (readonly [name: string, reading: "snapshot" | "delta", about: string])[] = [
  ["trading-entities", "snapshot", "The companies that sell"],
  ["branches", "snapshot", "The merchant's branches"],
  ["reps", "snapshot", "Sales representatives"],
  ["customers", "snapshot", "Customer accounts with terms, credit and stop"],
  ["sites", "snapshot", "Customers' delivery addresses"],
  ["assignments", "snapshot", "Which rep looks after which customer, from when to when"],
  ["product-groups", "snapshot", "Groups of products"],
  ["products", "snapshot", "Products with units, tax and state"],
  ["product-units", "snapshot", "Further units that products are sold in"],
  ["assortments", "snapshot", "Which products who may see and order"],
  ["stock", "snapshot", "Stock per product and branch"],
  ["price-lists", "snapshot", "Price lists by name"],
  ["customer-price-lists", "snapshot", "Further price lists that customers are on"],
  ["price-formulas", "snapshot", "How price lists work out their prices"],
  ["price-rules", "snapshot", "What whom costs what: one row per rule and break"],
  ["promotions", "snapshot", "Dated offers"],
  ["quotations", "snapshot", "Offers to customers"],
  ["quotation-lines", "snapshot", "Lines of offers to customers"],
  ["control-totals", "snapshot", "The other system's own totals, to reconcile with"],
  ["erp-order-lines", "delta", "Lines of those orders"],
  ["erp-orders", "delta", "Orders as the other system holds them"],
  ["order-acknowledgements", "delta", "What became of the orders we dropped"],
  ["despatch-lines", "delta", "Lines of despatch notes"],
  ["despatches", "delta", "Despatch notes"],
  ["sales-lines", "delta", "Lines of invoices and credit notes"],
  ["sales-documents", "delta", "Invoices and credit notes"],
  ["receipts", "delta", "Money received"],
  ["settlements", "delta", "Which receipt settles which document"],
  ["ledger-transactions", "delta", "Transactions of the sales ledger"],
];

const reading = z
  .enum(["snapshot", "delta"])
  .describe(
    "snapshot: each file is the whole set, and what it lacks was removed. delta: new and changed rows.",
  );

const streamSettings = z.strictObject({
  files: z
    .string()
    .superRefine((pattern, context) => {
      const problem = patternProblem(pattern);
      if (problem !== null) context.addIssue(`a pattern of file names in out/, but ${problem}`);
    })
    .optional()
    .describe("Pattern of the stream's file names. Default: <stream>.csv and <stream>-*.csv."),
  reading: reading.optional(),
});

const fields = z.strictObject({
  folder: z
    .string()
    .min(1)
    .optional()
    .describe(
      "The folder shared with the other system. It holds out/, which that system writes to.",
    ),
  sftp: sftpSettings.optional().describe("The same folder on an SFTP server, instead of `folder`."),
  streams: z
    .record(
      z
        .string()
        .regex(
          /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
          "a stream's name in small letters, digits and dashes",
        ),
      streamSettings,
    )
    .superRefine((streams, context) => {
      for (const [name, { reading }] of Object.entries(streams)) {
        if (reading !== undefined || LAYOUT.some(([known]) => known === name)) continue;
        context.addIssue({
          code: "custom",
          path: [name],
          message: "`reading` is missing: snapshot or delta",
        });
      }
    })
    .optional()
    .describe("The streams that come as files. Default: those of the Tradepost CSV layout."),
  delimiter: z
    .enum(["auto", ",", ";", "tab", "|"])
    .default("auto")
    .describe("What separates columns; auto: the candidate that stands most often in the header."),
  encoding: z
    .enum(["auto", "utf-8", "windows-1252", "utf-16le", "utf-16be"])
    .default("auto")
    .describe(
      "auto: UTF-16 by its mark, else UTF-8, or Windows-1252 for a file that is not valid UTF-8.",
    ),
  complete: z
    .enum(["stable", "done-marker", "manifest"])
    .default("stable")
    .describe(
      "How a file shows that it is whole: its size and time stay the same for stableForMs; <file>.done lies beside it; or <file>.manifest.json does.",
    ),
  stableForMs: z
    .int()
    .min(0)
    .max(600_000)
    .default(3_000)
    .describe("Milliseconds between two looks at a file. 0 when files are renamed into place."),
  maxFieldBytes: z
    .int()
    .min(100)
    .max(16_777_216)
    .default(65_536)
    .describe("Longest field, in bytes."),
  maxRowBytes: z
    .int()
    .min(1_000)
    .max(67_108_864)
    .default(1_048_576)
    .describe("Longest row, in bytes."),
  archives: z
    .strictObject({
      maxExpandedBytes: z
        .int()
        .min(1_000)
        .default(4_294_967_296)
        .describe("Bytes that all texts of one archive may have together."),
      maxRatio: z
        .int()
        .min(2)
        .max(1_100)
        .default(200)
        .describe("How many times larger than the archive they may be."),
      maxEntries: z.int().min(1).max(10_000).default(100).describe("Texts in one zip archive."),
    })
    .prefault({})
    .describe("Limits of .zip and .gz files; one beyond them is refused whole."),
});

const settings = fields.refine(
  ({ folder, sftp }) => (folder === undefined) !== (sftp === undefined),
  "either `folder` or `sftp`",
);
type Settings = z.infer<typeof settings>;

export const connector = defineConnector<Settings>({
  name: "csv",
  about: "A folder of CSV files, in and out: any system that can write and read them.",
  settings,
  streams: streamsOf,
  open: (given, host) => {
    const delimiter = delimiterOf(given.delimiter);
    return openFileSession(
      {
        folder: given.sftp === undefined ? (given.folder ?? "") : openSftpFolder(given.sftp, host),
        streams: streamsOf(given),
        format: {
          delimiter,
          encoding: given.encoding,
          maxFieldBytes: given.maxFieldBytes,
          maxRowBytes: given.maxRowBytes,
          archives: given.archives,
        },
        complete: given.complete,
        stableForMs: given.stableForMs,
        orderDelimiter: delimiter === "auto" ? "," : delimiter,
      },
      host,
    );
  },
});

function streamsOf(given: Settings): readonly FileStream[] {
  const known = new Map(LAYOUT.map(([name, reading, about]) => [name, { reading, about }]));
  const names = given.streams === undefined ? [...known.keys()] : Object.keys(given.streams);
  return names.map((name) => {
    const said = given.streams?.[name];
    return {
      name,
      about: known.get(name)?.about ?? "As named in the settings",
      reading: said?.reading ?? known.get(name)?.reading ?? "snapshot",
      files: said?.files ?? `${name}{,-*}.csv`,
    };
  });
}

function delimiterOf(setting: Settings["delimiter"]): Delimiter | "auto" {
  return setting === "tab" ? "\t" : setting;
}
