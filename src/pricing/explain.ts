/** Answers with their explanations, and the rows of the ERP behind every candidate. */
import type { Queryable } from "../store/index.ts";
import type { ExplainedLine, PriceAnswer, PriceProblem, PriceRequest } from "./answer.ts";
import { enquire, isProblem } from "./ask.ts";
import { explanationAt, recordLine, startRecording } from "./engine/index.ts";
import type { Explanation, Recording } from "./engine/index.ts";
import { accountEvidence, findEvidence } from "./evidence.ts";
import type { EvidenceOf, OriginName } from "./evidence.ts";
import { answerOf, lineOf, problemOf } from "./price.ts";
import type { Root } from "./root.ts";

type Explained = PriceProblem | (PriceAnswer & { readonly explanation: Explanation });

export async function explainRows(
  store: Queryable,
  company: string,
  root: Root,
  request: PriceRequest,
  today: number,
  originName: OriginName | undefined,
): Promise<ExplainedLine[]> {
  const enquiry = enquire(root.book, request, today);
  if (isProblem(enquiry)) return request.lines.map((line) => problemOf(line, enquiry));
  const recording = startRecording(enquiry, request.lines.length);
  const lines = request.lines.map((line) => explained(root, recording, line));
  const entries = lines.flatMap((line) =>
    line.state === "problem" ? [] : line.explanation.candidates.flatMap(({ entry }) => entry ?? []),
  );
  const evidence = await findEvidence(store, company, entries, originName, root.book.timeZone);
  const isOwn = lines.some(
    (line) =>
      line.state !== "problem" && line.explanation.candidates.some(({ entry }) => entry === null),
  );
  const { discount } = enquiry;
  const { account } = request;
  const own = isOwn ? await accountEvidence(store, company, { account, discount }, originName) : [];
  const all: EvidenceOf = (entry) => (entry === null ? own : evidence(entry));
  return lines.map((line) => (line.state === "problem" ? line : withRows(line, all)));
}

function explained(
  root: Root,
  recording: Recording,
  line: PriceRequest["lines"][number],
): Explained {
  const asked = lineOf(root, line);
  if ("detail" in asked) return problemOf(line, asked);
  recordLine(recording, asked.product, asked.quantity, asked.unit);
  const explanation = explanationAt(recording, recording.lines - 1);
  return { ...answerOf(root, recording.enquiry, line, asked.product), explanation };
}

function withRows(
  line: PriceAnswer & { readonly explanation: Explanation },
  evidence: EvidenceOf,
): ExplainedLine {
  const candidates = line.explanation.candidates.map((candidate) => ({
    ...candidate,
    rows: evidence(candidate.entry),
  }));
  return { ...line, explanation: { ...line.explanation, candidates } };
}
