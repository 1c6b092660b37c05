/**
 * A thread that answers large price requests, so that the service's own thread only moves bytes. It
 * runs the same route over the same arrays; what needs the database is not for it.
 */
import { parentPort } from "node:worker_threads";
import { openBulkDesk } from "../pricing/index.ts";
import type { BulkDesk, BulkPricing } from "../pricing/index.ts";
import { Written } from "./answering.ts";
import type { BulkAnswer, BulkQuestion } from "./bulk-words.ts";
import { askPrices } from "./price-routes.ts";
import { scanColumns } from "./price-scan.ts";
import { Problem } from "./problem.ts";
import { jsonOf } from "./reading.ts";

const desks = new Map<string, BulkDesk>();
const port = parentPort;
if (port === null) throw new Error("bulk-thread.ts is started by openBulkLane, not by hand");
port.on("message", (question: BulkQuestion) => {
  void answered(question).then((answer) => {
    if (answer === null) return;
    const bytes =
      answer.is === "part" ? answer.part.bytes : answer.is === "reply" ? answer.body : null;
    port.postMessage(
      answer,
      bytes === null || bytes.buffer.byteLength < LARGE ? [] : [bytes.buffer],
    );
  });
});

/** Smaller ones may stand in memory that others use too. */
const LARGE = 65_536;

/** Null: there was nothing to answer. */
async function answered(question: BulkQuestion): Promise<BulkAnswer | null> {
  const { id, company, news, atMs, body, share } = question;
  const desk = desks.get(company) ?? openBulkDesk(company);
  desks.set(company, desk);
  desk.tell(news);
  if (body.length === 0) return null;
  const pricing = desk.at(atMs);
  if (pricing === null) return { id, is: "not-mine" };
  return share === null ? whole(id, pricing, body) : shareOf(id, pricing, body, share);
}

function shareOf(
  id: number,
  pricing: BulkPricing,
  body: Uint8Array,
  [at, of]: readonly [at: number, of: number],
): BulkAnswer {
  const scanned = scanColumns(body);
  if (scanned === null) return { id, is: "not-mine" };
  const { lines, asker, ...columns } = scanned;
  const [from, to] = [at, at + 1].map((place) => Math.floor((lines * place) / of));
  const part = pricing.part({ ...columns, asker, from: from ?? 0, to: to ?? lines });
  // Where none of them has a price it is for the route to say whose fault it is.
  if (part === null || part.allProblems) return { id, is: "not-mine" };
  const { account } = asker;
  return { id, is: "part", account, part };
}

async function whole(id: number, pricing: BulkPricing, body: Uint8Array): Promise<BulkAnswer> {
  try {
    const value = jsonOf(Buffer.from(body.buffer, body.byteOffset, body.length).toString("utf8"));
    const reply = await askPrices.take(value, callerOf(pricing), () => undefined);
    const content = reply.body instanceof Written ? reply.body.content : JSON.stringify(reply.body);
    const bytes = typeof content === "string" ? encoder.encode(content) : content;
    return {
      id,
      is: "reply",
      status: reply.status ?? 200,
      headers: { ...reply.headers },
      body: bytes,
    };
  } catch (error) {
    // Anything else fails again where it can be told and logged.
    if (!(error instanceof Problem)) return { id, is: "not-mine" };
    const { code, message: detail, faults, headers } = error;
    return { id, is: "problem", code, detail, faults, headers };
  }
}

const encoder = new TextEncoder();

/** A caller whose other services are not there: the route asks for prices and nothing else. */
function callerOf(pricing: BulkPricing): Parameters<typeof askPrices.take>[1] {
  const notHere = () => Promise.reject(new Error("it needs the database"));
  const asked = { ...pricing, explain: notHere, known: notHere, explainKnown: notHere };
  return { services: { pricing: asked } } as unknown as Parameters<typeof askPrices.take>[1];
}
