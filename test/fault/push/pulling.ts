/** The ERP exports, and that is pulled, every few seconds by a process that nobody kills. */
import { setTimeout as sleep } from "node:timers/promises";
import type { CompanyServices } from "../../../src/main.ts";
import { COMPANY, type PushWorld } from "./world.ts";

export interface Pulling {
  /** Now, besides. */
  once(): Promise<void>;
  stop(): Promise<void>;
}

const EVERY_MS = 4_000;
const STREAMS = [
  "order-acknowledgements",
  "erp-order-lines",
  "erp-orders",
  "sales-lines",
  "sales-documents",
];

export function keepPulling(world: PushWorld, say: (line: string) => void): Pulling {
  const stopping = new AbortController();
  const once = () => world.open(async (tradepost) => pull(world, await tradepost.company(COMPANY)));
  const pulling = world.open(async (tradepost) => {
    const company = await tradepost.company(COMPANY);
    while (!stopping.signal.aborted) {
      await pull(world, company).catch((error: unknown) => say(`pulling: ${String(error)}`));
      await sleep(EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  });
  return {
    once,
    async stop() {
      stopping.abort();
      await pulling;
    },
  };
}

async function pull({ erp }: PushWorld, company: CompanyServices): Promise<void> {
  await erp.export();
  const connection = "files" in company.settings.connections ? "files" : "erp";
  for (const { state, stream, notes } of await company.sync(connection, { streams: STREAMS }))
    if (state === "failed") throw new Error(`pulling ${stream} failed: ${notes.join(" ")}`);
}
