/**
 * A receiver that fails at three of ten requests, and holds each against the standard's own
 * library.
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook as Verifier } from "standardwebhooks";
import type { Random } from "../../deploy/demo/merchant/index.ts";
import { TIMEOUT_MS } from "./webhook-world.ts";

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  /** Ids that it has said to have taken. */
  readonly taken: ReadonlySet<string>;
  /** Events in the order in which they first came: the numbers of each order. */
  readonly came: ReadonlyMap<string, readonly number[]>;
  /** Same id, other content; or what does not verify. */
  readonly changed: readonly string[];
  /** One event under two ids. */
  readonly doubled: readonly string[];
  readonly requests: number;
  readonly faults: number;
  /** The secret that it verifies with from now on. */
  trust(secret: string): void;
}

/** 30 in 100. */
const FAULTS = [
  ["none", 70],
  ["500", 8],
  ["cut", 6],
  ["cut after taking", 4],
  ["silent", 2],
  ["slow", 4],
  ["429", 5.8],
  ["429, wait", 0.2],
] as const;

interface Message {
  readonly data: { readonly webOrder: string; readonly eventNumber: number };
}

class Books {
  readonly taken = new Set<string>();
  readonly came = new Map<string, number[]>();
  readonly changed: string[] = [];
  readonly doubled: string[] = [];
  readonly #bodies = new Map<string, string>();
  readonly #ids = new Map<number, string>();
  #verifier = new Verifier("whsec_AAAA");

  trust(secret: string): void {
    this.#verifier = new Verifier(secret);
  }

  /** The id of what came. */
  note(body: string, headers: http.IncomingHttpHeaders): string {
    const id = String(headers["webhook-id"]);
    let message: Message;
    try {
      message = this.#verifier.verify(body, headers as Record<string, string>) as Message;
    } catch (error) {
      this.changed.push(`${id} does not verify: ${String(error)}`);
      return id;
    }
    const { webOrder, eventNumber } = message.data;
    const before = this.#bodies.get(id);
    if (before !== undefined && before !== body) this.changed.push(`${id} came with another body`);
    this.#bodies.set(id, body);
    const known = this.#ids.get(eventNumber);
    if (known !== undefined && known !== id)
      this.doubled.push(`event ${eventNumber}: ${known}, ${id}`);
    this.#ids.set(eventNumber, id);
    if (before === undefined)
      this.came.set(webOrder, [...(this.came.get(webOrder) ?? []), eventNumber]);
    return id;
  }
}

export async function openReceiver(random: Random): Promise<Receiver> {
  const books = new Books();
  let requests = 0;
  let faults = 0;
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("error", () => undefined);
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const id = books.note(Buffer.concat(chunks).toString(), request.headers);
      const fault = random.weighted(FAULTS);
      requests += 1;
      if (fault !== "none") faults += 1;
      answer(fault, response, () => void books.taken.add(id));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { taken, came, changed, doubled } = books;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    taken,
    came,
    changed,
    doubled,
    trust: (secret) => {
      books.trust(secret);
    },
    get requests() {
      return requests;
    },
    get faults() {
      return faults;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(
  fault: (typeof FAULTS)[number][0],
  response: http.ServerResponse,
  take: () => void,
): void {
  switch (fault) {
    case "none":
      take();
      return void response.writeHead(204).end();
    case "slow":
      take();
      setTimeout(() => response.writeHead(200).end("at last"), TIMEOUT_MS / 4);
      return;
    case "500":
      return void response.writeHead(500).end("it is not well");
    case "429":
    case "429, wait":
      return void response.writeHead(429, { "retry-after": fault === "429" ? "0" : "1" }).end();
    case "cut":
      return void response.socket?.destroy();
    case "cut after taking":
      take();
      return void response.socket?.destroy();
    case "silent":
      // Never answered: the sender gives up.
      return;
    default:
      fault satisfies never;
  }
}
