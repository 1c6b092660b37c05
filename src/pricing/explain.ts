/** Answers with their explanations, and the rows of the ERP behind every candidate. */
import type { Queryable } from "../store/index.ts";
import type { ExplainedLine, PriceAnswer, PriceProblem, PriceRequest } from "./answer.ts";
import { badQuantity, enquire, isProblem, quantityOf, unknownProduct } from "./ask.ts";
import { explainLine } from "./engine/index.ts";
import type { Enquiry, Explanation } from "./engine/index.ts";
import { findEvidence } from "./evidence.ts";
import type { EvidenceOf, OriginName } from "./evidence.ts";
import { answerOf, problemOf } from "./price.ts";
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
  const lines = request.lines.map((line) => explained(root, enquiry, line));
  const entries = lines.flatMap((line) =>
    line.state === "problem" ? [] : line.explanation.candidates.flatMap(({ entry }) => entry ?? []),
  );
  const evidence = await findEvidence(store, company, entries, originName);
  return lines.map((line) => (line.state === "problem" ? line : withRows(line, evidence)));
}

function explained(root: Root, enquiry: Enquiry, line: PriceRequest["lines"][number]): Explained {
  const product = root.book.products.numbers.get(line.product);
  if (product === undefined) return problemOf(line, unknownProduct(line.product));
  const quantity = quantityOf(line.quantity);
  if (quantity === undefined) return problemOf(line, badQuantity(line.quantity));
  const explanation = explainLine(enquiry, product, quantity);
  return { ...answerOf(root, enquiry, line, product), explanation };
}

function withRows(
  line: PriceAnswer & { readonly explanation: Explanation },
  evidence: EvidenceOf,
): ExplainedLine {
  const candidates = line.explanation.candidates.map((candidate) => ({
    ...candidate,
    rows: candidate.entry === null ? [] : evidence(candidate.entry),
  }));
  return { ...line, explanation: { ...line.explanation, candidates } };
}
