/** Requests of one key that come at once: one is handled, the others are answered as it was. */
import { inProgressProblem, keyReusedProblem, type AcceptResult } from "../answer.ts";
import { keptKey, type Asked } from "./asked.ts";

type Take = (request: Asked) => Promise<AcceptResult>;

/** How long one waits for the first one's answer. */
const PATIENCE_MS = 1_000;

export function oneByKey(take: Take): Take {
  const underWay = new Map<string, { readonly hash: string; readonly answer: Promise<Answer> }>();
  const begin = (request: Asked): Promise<AcceptResult> => {
    const { hash } = request;
    const kept = keptKey(request);
    const result = take(request).finally(() => underWay.delete(kept));
    underWay.set(kept, { hash, answer: result.catch(() => "failed" as const) });
    return result;
  };
  return async (request) => {
    const { idempotencyKey: key, hash } = request;
    for (;;) {
      const first = underWay.get(keptKey(request));
      if (first === undefined) return begin(request);
      const answer = await atMost(PATIENCE_MS, first.answer);
      if (answer === "late") return inProgress(key);
      const known = answer === "failed" ? null : againOf(answer, first.hash === hash, key);
      if (known !== null) return known;
    }
  };
}

type Answer = AcceptResult | "failed";

function inProgress(key: string): AcceptResult {
  return { status: 409, replayed: false, problem: inProgressProblem(key) };
}

/** Null: what the first was answered says nothing of this one. */
function againOf(first: AcceptResult, isSame: boolean, key: string): AcceptResult | null {
  const isKept = !("problem" in first) || first.replayed || isRefusal(first.problem.code);
  if (!isKept) return isSame ? first : null;
  if (isSame) return { ...first, replayed: true };
  return { status: 422, replayed: false, problem: keyReusedProblem(key) };
}

/** A refusal is kept with its key; that the key was another request's is not. */
function isRefusal(code: string): boolean {
  return code === "order-refused" || code === "web-order-number-taken";
}

async function atMost<Value>(ms: number, value: Promise<Value>): Promise<Value | "late"> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(resolve, ms, "late");
  });
  try {
    return await Promise.race([value, late]);
  } finally {
    clearTimeout(timer);
  }
}
