/** The hostile ERP on its best behaviour but for what it is told, for the conformance suite. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NewAccount, NewReturn, RenderedOrder } from "../../../src/connector/index.ts";
import type { Rig } from "../../../src/connector/conformance/index.ts";
import { startHostileErp, type ErpClass, type HeldRequest } from "./index.ts";

export const rigOf = (erpClass: ErpClass): Rig => ({
  waivers: {
    "streams-are-named": "what it exports lies in a folder that another connector reads",
    ...(erpClass !== "native-key" && {
      "order-once": "it is as plain as connectors may be: its host alone looks before it places",
    }),
  },
  start: async () => {
    const folder = await mkdtemp(join(tmpdir(), "hostile-erp-"));
    const erp = await startHostileErp({ class: erpClass, seed: 1, folder, faultShare: 0 });
    const losesNext = () => {
      erp.next("reset after commit");
      return true;
    };
    return {
      settings: erp.connection.settings,
      rows: () => [],
      orders: {
        order,
        refusable: (key) => ({ ...order(key), tables: [header([])] }),
        held: (key) => erp.books().documents.filter((one) => one.key === key).length,
        loseAnswer: losesNext,
      },
      accounts: {
        account,
        refusable: (request) => ({ ...account(request), name: "" }),
        held: (request) => of(erp.accounts(), request).length,
        kept: (request) => sentFor<NewAccount>(erp.accounts(), request),
        loseAnswer: losesNext,
      },
      returns: {
        goods,
        refusable: (key) => ({ ...goods(key), lines: [] }),
        held: (key) => of(erp.returns(), key).length,
        kept: (key) => sentFor<NewReturn>(erp.returns(), key),
        loseAnswer: losesNext,
      },
      close: async () => {
        await erp[Symbol.asyncDispose]();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
});

const of = (held: readonly HeldRequest[], key: string) => held.filter((one) => one.key === key);

/** It keeps all that it is sent, as it was sent. */
const sentFor = <Wanted>(held: readonly HeldRequest[], key: string): Partial<Wanted> | null =>
  (of(held, key)[0]?.sent as Partial<Wanted> | undefined) ?? null;

function order(key: string): RenderedOrder {
  const columns = ["line", "kind", "code", "quantity", "unitPrice", "discount", "vatCode"];
  const rows = [["1", "product", "TILE", "3", "2.50", "0", "STANDARD"]];
  return { key, tables: [{ name: "lines", columns, rows }, header([[key, "A1"]])] };
}

const header = (rows: readonly (readonly string[])[]) => ({
  name: "header",
  columns: ["webOrder", "account"],
  rows,
});

export function account(request: string): NewAccount {
  const address = {
    address1: "7 Orrery Row",
    address2: "Unit 3",
    address3: null,
    town: "York",
    county: null,
    postcode: "YO1 7AA",
    country: "GB",
  };
  return {
    request,
    name: "Quayle Roofing",
    legalName: "Quayle Roofing Ltd",
    companyNumber: "01234567",
    vatNumber: "GB123456789",
    contact: "Wilhelmina Quayle",
    email: "mina@quayle.example",
    telephone: "+44 1904 000000",
    address,
    deliverTo: [{ ...address, name: "Yard", address1: "1 Slate Yard" }],
    creditLimit: "500.00",
  };
}

export function goods(key: string): NewReturn {
  return {
    key,
    account: "A1",
    invoice: "INV-000001",
    webOrder: "WEB-1",
    wanted: "credit",
    reason: "Two were cracked, “as if dropped”.",
    lines: [
      { line: 1, product: "TILE", quantity: "2" },
      { line: 3, product: null, quantity: "0.5" },
    ],
  };
}
