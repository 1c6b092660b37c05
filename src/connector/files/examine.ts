/**
 * Decides what a complete file is before a row of it is given: whole, applied before, or to be
 * refused.
 */
import type { Host } from "../contract.ts";
import type { Complaint } from "./faults.ts";
import { companionNames, manifestOf } from "./inbox.ts";
import type { FileStream, Manifest } from "./inbox.ts";
import type { Folder } from "./folder.ts";
import type { Spool } from "./spool.ts";
import { digestOf, surveyOf } from "./table.ts";
import type { Beside, Digest, FoundFile, Survey, TableFormat } from "./table.ts";
import { unpack } from "./unpack.ts";
import type { Part } from "./unpack.ts";

export type Look =
  | { readonly kind: "notReady"; readonly why: string }
  | { readonly kind: "known"; readonly sha256: string }
  | ({ readonly kind: "refused"; readonly sha256: string } & Complaint)
  | {
      readonly kind: "whole";
      readonly sha256: string;
      /** One, or each text of an archive. */
      readonly texts: readonly Text[];
      /**
       * Rows that the far side says it wrote; null when it does not say, or bad rows blur the
       * count.
       */
      readonly statedRows: number | null;
    };

export interface Text extends Part {
  readonly survey: Survey;
}

export interface Question {
  readonly file: FoundFile;
  readonly stream: FileStream;
  readonly format: TableFormat;
  readonly folder: Folder;
  readonly spool: Spool;
  /** What the texts of an archive were written to; disposed of when they were read. */
  readonly written: AsyncDisposableStack;
  /** True for content that was applied, so that its rows need not be read again. */
  readonly isKnown: (sha256: string) => Promise<boolean>;
  /** Absent: nobody asks for changes. */
  readonly beside?: Beside | undefined;
}

export async function examine(question: Question, host: Host): Promise<Look> {
  const { file } = question;
  const manifest = await manifestOf(question.folder, file.name);
  if (manifest === "unreadable") {
    const name = companionNames(file.name).manifest;
    return { kind: "notReady", why: `${name} is not JSON that states rows, bytes or sha256` };
  }
  const digest = await digestOf(file, host.signal);
  const { sha256 } = digest;
  if (await question.isKnown(sha256)) return { kind: "known", sha256 };
  const stated = manifest === "absent" ? {} : manifest;
  const texts = againstContent(stated, file, digest) ?? (await textsOf(question, digest, host));
  if ("reason" in texts) return { kind: "refused", sha256, ...texts };
  const rows = sum(texts, "rows");
  const complaint = againstRows(stated, rows, texts) ?? tooFew(question, rows, texts, stated);
  if (complaint !== null) return { kind: "refused", sha256, ...complaint };
  const statedRows = stated.rows === rows && texts.length === 1 ? rows : null;
  return { kind: "whole", sha256, texts, statedRows };
}

/** One text that must not be applied condemns the file: the others are no whole set without it. */
async function textsOf(
  { file, format, spool, written, beside }: Question,
  digest: Digest,
  { signal }: Host,
): Promise<readonly Text[] | Complaint> {
  const parts = await unpack({ file, digest, format, spool, signal }, written);
  if ("reason" in parts) return parts;
  const texts: Text[] = [];
  for (const part of parts) {
    // Texts of an archive come and go one by one: there is no single content before them.
    const walk = part.name === null ? beside : undefined;
    const survey = await surveyOf(part.file, part.digest, part.format, signal, walk);
    if ("reason" in survey)
      return part.name === null
        ? survey
        : { ...survey, reason: `In ${part.name}: ${survey.reason}` };
    texts.push({ ...part, survey });
  }
  return texts;
}

function sum(texts: readonly Text[], of: "rows" | "rejects"): number {
  return texts.reduce((total, { survey }) => total + survey[of], 0);
}

function againstContent(stated: Manifest, file: FoundFile, digest: Digest): Complaint | null {
  if (stated.bytes !== undefined && stated.bytes !== file.bytes) {
    return {
      reason: `Its manifest says ${stated.bytes} bytes; it has ${file.bytes}.`,
      instruction: RESEND,
    };
  }
  if (stated.sha256 !== undefined && stated.sha256 !== digest.sha256) {
    return {
      reason: `Its manifest says SHA-256 ${stated.sha256}; it has ${digest.sha256}.`,
      instruction: RESEND,
    };
  }
  return null;
}

function againstRows(stated: Manifest, rows: number, texts: readonly Text[]): Complaint | null {
  if (stated.rows === undefined || stated.rows === rows) return null;
  // One bad row of several lines counts as several rejects; the digest has shown that the file is
  // whole.
  if (stated.sha256 !== undefined && sum(texts, "rejects") > 0) return null;
  return {
    reason: `Its manifest says ${stated.rows} rows; it has ${rows}.`,
    instruction: RESEND,
  };
}

function tooFew(
  question: Question,
  rows: number,
  texts: readonly Text[],
  stated: Manifest,
): Complaint | null {
  if (rows > 0 || stated.rows === 0) return null;
  if (question.stream.reading === "snapshot") {
    const manifest = companionNames(question.file.name).manifest;
    return {
      reason: "It has a header and no rows, which would remove all that was applied before.",
      instruction:
        `If that is meant, send it with a manifest (${manifest}) that says {"rows": 0}. ` +
        "Otherwise export it again.",
    };
  }
  if (texts.every(({ digest }) => digest.endsLine)) return null;
  return { reason: "It was cut off: it ends in the middle of its header.", instruction: RESEND };
}

const RESEND =
  "Export it again, the manifest last. Nothing of this file is applied; what was applied before still holds.";
