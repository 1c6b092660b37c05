/**
 * The hostile ERP as a web service: `POST /orders` makes a document, `GET /orders?key=…` searches.
 * It misbehaves as `faults.ts` draws it; the worst is a document that appears only some time
 * after whoever asked for it has given up, or was killed.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { pounds, keyOf, type HeldDocument, type SentTables } from "./books.ts";
import type { Draws } from "./faults.ts";
import type { Draft, Ledger } from "./ledger.ts";

export interface ErpServer extends AsyncDisposable {
  readonly url: string;
}

/** After the client gave up the document is made within so many milliseconds. */
export const COMMIT_LAG_MS = 1_500;
/** Nobody waits longer for a client to give up. */
const PATIENCE_MS = 30_000;
const SLOW_MS = 700;

export async function serveErp(ledger: Ledger, draws: Draws): Promise<ErpServer> {
  const server = createServer((request, response) => {
    void handle(ledger, draws, request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 1_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function handle(
  ledger: Ledger,
  draws: Draws,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://erp");
  if (request.method === "GET")
    return search(ledger, draws, url.searchParams.get("key") ?? "", response);
  const { tables } = JSON.parse(await text(request)) as { readonly tables: SentTables };
  return place(ledger, draws, tables, response);
}

async function place(
  ledger: Ledger,
  draws: Draws,
  tables: SentTables,
  response: ServerResponse,
): Promise<void> {
  const key = keyOf(tables);
  const call = ledger.call("place", key);
  if (draws.refuses(key)) {
    ledger.refuse(key);
    return answer(response, 422, { error: "the goods are not delivered to this account" });
  }
  const fault = draws.placing(key, call);
  if (fault !== null) ledger.count(fault);
  switch (fault) {
    case "429":
      return answer(response, 429, { error: "too many requests" });
    case "429 with Retry-After":
      return answer(response, 429, { error: "too many requests" }, { "retry-after": "1" });
    case "500 before commit":
      return answer(response, 500, { error: "the posting run stopped" });
    case "reset before commit":
      return void response.destroy();
    case "500 after commit":
      ledger.commit(tables);
      return answer(response, 500, { error: "printing the order failed" });
    case "reset after commit":
      ledger.commit(tables);
      return void response.destroy();
    case "cut answer":
      return cut(response, shown(ledger.commit(tables)));
    case "slow":
      await sleep(draws.of("slow", key, call) * SLOW_MS);
      return answer(response, 201, shown(ledger.commit(tables)));
    case "commit after the client gave up":
      await Promise.race([once(response, "close"), sleep(PATIENCE_MS)]);
      await sleep(draws.of("commit lag", key, call) * COMMIT_LAG_MS);
      ledger.commit(tables);
      return void response.destroy();
    case "draft":
      return answer(response, 201, shown(ledger.draft(tables)));
    case null:
      return answer(response, 201, shown(ledger.commit(tables)));
    default:
      return fault satisfies never;
  }
}

async function search(
  ledger: Ledger,
  draws: Draws,
  key: string,
  response: ServerResponse,
): Promise<void> {
  const call = ledger.call("find", key);
  const fault = draws.finding(key, call);
  if (fault !== null) ledger.count(`search: ${fault}`);
  const found = () => ({ documents: ledger.seen(key).map(shown) });
  switch (fault) {
    case "429":
      return answer(response, 429, { error: "too many requests" });
    case "500":
      return answer(response, 500, { error: "the index is being rebuilt" });
    case "reset":
      return void response.destroy();
    case "cut answer":
      return cut(response, found());
    case "slow":
      await sleep(draws.of("slow search", key, call) * SLOW_MS);
      return answer(response, 200, found());
    case null:
      return answer(response, 200, found());
    default:
      return fault satisfies never;
  }
}

function shown(held: HeldDocument | Draft): unknown {
  if (held.number === "TBA") return { number: "TBA", key: held.key, state: "draft" };
  const { number, key, account, lines, net, vat } = held as HeldDocument;
  return {
    number,
    key,
    account,
    state: "open",
    net: pounds(net),
    vat: pounds(vat),
    lines: lines.map((line) => ({ ...line, net: pounds(line.net), vat: pounds(line.vat) })),
  };
}

function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/** The length of the whole, and half of it. */
function cut(response: ServerResponse, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(201, {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(text)),
  });
  response.write(text.slice(0, text.length / 2), () => response.destroy());
}
