/**
 * Decides what a complete file is before a row of it is given: whole, applied before, or to be
 * refused.
 */
import type { Host } from "../contract.ts";
import type { Complaint } from "./faults.ts";
import { companionNames, manifestOf } from "./inbox.ts";
import type { FileStream, Manifest } from "./inbox.ts";
import { digestOf, surveyOf } from "./table.ts";
import type { Digest, FoundFile, Survey, TableFormat } from "./table.ts";

export type Look =
  | { readonly kind: "notReady"; readonly why: string }
  | { readonly kind: "known"; readonly sha256: string }
  | ({ readonly kind: "refused"; readonly sha256: string } & Complaint)
  | {
      readonly kind: "whole";
      readonly sha256: string;
      readonly survey: Survey;
      /**
       * Rows that the far side says it wrote; null when it does not say, or bad rows blur the
       * count.
       */
      readonly statedRows: number | null;
    };

export interface Question {
  readonly file: FoundFile;
  readonly stream: FileStream;
  readonly format: TableFormat;
  /** True for content that was applied, so that its rows need not be read again. */
  readonly isKnown: (sha256: string) => Promise<boolean>;
}

export async function examine(question: Question, host: Host): Promise<Look> {
  const { file, format } = question;
  const manifest = await manifestOf(file);
  if (manifest === "unreadable") {
    const name = companionNames(file.name).manifest;
    return { kind: "notReady", why: `${name} is not JSON that states rows, bytes or sha256` };
  }
  const digest = await digestOf(file, host.signal);
  const { sha256 } = digest;
  if (await question.isKnown(sha256)) return { kind: "known", sha256 };
  const stated = manifest === "absent" ? {} : manifest;
  const survey =
    againstContent(stated, file, digest) ?? (await surveyOf(file, digest, format, host.signal));
  if ("reason" in survey) return { kind: "refused", sha256, ...survey };
  const complaint = againstRows(stated, survey) ?? tooFew(question, digest, survey, stated);
  if (complaint !== null) return { kind: "refused", sha256, ...complaint };
  const statedRows = stated.rows === survey.rows ? survey.rows : null;
  return { kind: "whole", sha256, survey, statedRows };
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

function againstRows(stated: Manifest, survey: Survey): Complaint | null {
  if (stated.rows === undefined || stated.rows === survey.rows) return null;
  // One bad row of several lines counts as several rejects; the digest has shown that the file is
  // whole.
  if (stated.sha256 !== undefined && survey.rejects > 0) return null;
  return {
    reason: `Its manifest says ${stated.rows} rows; it has ${survey.rows}.`,
    instruction: RESEND,
  };
}

function tooFew(
  question: Question,
  digest: Digest,
  survey: Survey,
  stated: Manifest,
): Complaint | null {
  if (survey.rows > 0 || stated.rows === 0) return null;
  if (question.stream.reading === "snapshot") {
    const manifest = companionNames(question.file.name).manifest;
    return {
      reason: "It has a header and no rows, which would remove all that was applied before.",
      instruction:
        `If that is meant, send it with a manifest (${manifest}) that says {"rows": 0}. ` +
        "Otherwise export it again.",
    };
  }
  if (digest.endsLine) return null;
  return { reason: "It was cut off: it ends in the middle of its header.", instruction: RESEND };
}

const RESEND =
  "Export it again, the manifest last. Nothing of this file is applied; what was applied before still holds.";
