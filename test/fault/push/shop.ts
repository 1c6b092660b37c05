/**
 * A good shop: each order has one key, and is sent until it is answered, to whichever instance
 * answers. What it was told stands; a later answer must be the same.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { randomOf } from "../../../deploy/demo/merchant/index.ts";
import type { Agreed } from "./judge.ts";
import { ACCOUNTS, PRODUCTS } from "./world.ts";

export interface ShopOptions {
  readonly seed: number;
  readonly orders: number;
  readonly apiKey: string;
  /** Addresses that answer now, maybe none. */
  readonly urls: () => readonly string[];
  /** Returns when the next order may be sent. */
  readonly next: () => Promise<void>;
}

export interface Shop {
  /** By number, as agreed. */
  readonly agreed: ReadonlyMap<string, Agreed>;
  readonly sent: number;
  /** Answers that were not the first one's, and refusals of good orders. */
  readonly findings: readonly string[];
  /** Requests that were sent more than once. */
  readonly repeated: number;
}

const BUYERS = 6;
/** Share of the orders that are sent again although they were answered. */
const AGAIN = 0.05;

export async function runShop(options: ShopOptions): Promise<Shop> {
  const agreed = new Map<string, Agreed>();
  const findings: string[] = [];
  const count = { next: 0, repeated: 0 };
  const buyer = async () => {
    while (count.next < options.orders) {
      count.next += 1;
      const number = `P-${String(count.next).padStart(5, "0")}`;
      await options.next();
      const first = await send(options, number, count);
      if (first.status > 202)
        findings.push(`${number} was answered ${first.status}: ${first.text}`);
      else agreed.set(number, agreedOf(first.text));
      if (randomOf(options.seed, "again", number).next() >= AGAIN) continue;
      const second = await send(options, number, count);
      const differs = differenceOf(first, second);
      if (differs !== null) findings.push(`${number} was answered otherwise later: ${differs}`);
    }
  };
  await Promise.all(Array.from({ length: BUYERS }, buyer));
  return { agreed, sent: count.next, findings, repeated: count.repeated };
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** A shop's patience with one order, over all its tries. */
const PATIENCE_MS = 120_000;

/** What is no answer is tried again at another instance. */
async function send(
  { seed, apiKey, urls }: ShopOptions,
  number: string,
  count: { repeated: number },
): Promise<Answer> {
  const random = randomOf(seed, "shop", number);
  const body = JSON.stringify(orderOf(seed, number));
  const began = performance.now();
  for (let tries = 0; performance.now() - began < PATIENCE_MS; tries += 1) {
    if (tries > 0) count.repeated += 1;
    const answering = urls();
    if (answering.length > 0) {
      const url = random.pick(answering);
      const answer = await ask({ url, apiKey, key: `key-${number}`, body });
      if (answer !== null) return answer;
    }
    await sleep(50 + random.next() * 200);
  }
  return { status: 504, text: `no answer within ${PATIENCE_MS / 1000} s` };
}

export interface Post {
  readonly url: string;
  readonly apiKey: string;
  readonly key: string;
  readonly body: string;
}

/** Null: it has to be sent again. */
export async function ask({ url, apiKey, key, body }: Post): Promise<Answer | null> {
  try {
    const response = await fetch(`${url}/v1/orders`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${apiKey}`,
        "content-type": "application/json",
        "idempotency-key": key,
      },
      body,
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    const { status } = response;
    return status === 409 || status === 429 || status >= 500 ? null : { status, text };
  } catch {
    return null;
  }
}

function orderOf(seed: number, number: string): unknown {
  const random = randomOf(seed, "order", number);
  const products = new Set([random.pick(PRODUCTS), random.pick(PRODUCTS), random.pick(PRODUCTS)]);
  return {
    webOrder: number,
    // Two of them may be alike otherwise, and be held as one sent twice.
    customerReference: number,
    account: random.pick(ACCOUNTS),
    lines: [...products].map(([product, unitPrice]) => ({
      product,
      quantity: String(random.whole(1, 40)),
      unitPrice,
    })),
    charges: random.chance(0.3) ? [{ charge: "CARR", net: "8.50" }] : [],
  };
}

interface AnswerBody {
  readonly webOrder: string;
  readonly account: string;
  readonly net: string;
  readonly vat: string;
  readonly lines: readonly {
    readonly product: string;
    readonly quantity: string;
    readonly net: string;
    readonly vat: string;
  }[];
  readonly charges: readonly {
    readonly charge: string;
    readonly net: string;
    readonly vat: string;
  }[];
}

/** Of the answer to an order that was taken. */
export function agreedOf(text: string): Agreed & { readonly webOrder: string } {
  const { webOrder, account, net, vat, lines, charges } = JSON.parse(text) as AnswerBody;
  return {
    webOrder,
    account,
    net,
    vat,
    lines: [
      ...lines.map(({ product, ...line }) => ({ code: product, ...line })),
      ...charges.map(({ charge, ...line }) => ({ code: charge, quantity: "1", ...line })),
    ],
  };
}

/** Byte for byte: it is kept with its key. Null: none. */
function differenceOf(first: Answer, second: Answer): string | null {
  if (first.status !== second.status) return `${first.status}, then ${second.status}`;
  if (first.text === second.text) return null;
  let at = 0;
  while (first.text[at] === second.text[at]) at += 1;
  const part = ({ text }: Answer) => text.slice(Math.max(0, at - 20), at + 40);
  return `${part(first)} … then ${part(second)} …`;
}
