/** The example shop of deploy/examples, as any shop would run it: beside the demo, over HTTP. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Customer, Product } from "../merchant/index.ts";
import { field, type Shop } from "../shop.ts";
import type { Story } from "../story.ts";
import type { World } from "../world.ts";

const FILE = resolve(import.meta.dirname, "..", "..", "examples", "shop", "shop.js");

/** Evening of the story on which its order is placed. */
export const SHOP_DAY = 5;

export interface WebShop extends AsyncDisposable {
  readonly url: string;
  readonly account: string;
  readonly products: readonly string[];
}

/** A process of its own, which knows an address and a key and nothing else of Tradepost. */
export async function openWebShop(
  world: World,
  api: { readonly url: string; readonly key: string },
): Promise<WebShop> {
  const { merchant } = world;
  const buyer = merchant.customers.find(buysOnAccount);
  const products = merchant.products.filter(soldByTheOne).slice(0, 3);
  if (buyer === undefined || products.length === 0)
    throw new Error("the merchant has nobody who can order, or nothing to sell by the one");
  const codes = products.map(({ product }) => product);
  const env = {
    TRADEPOST_URL: api.url,
    TRADEPOST_KEY: api.key,
    SHOP_ACCOUNT: buyer.account,
    SHOP_PRODUCTS: codes.join(","),
    SHOP_FILE: join(world.folder, "shop-orders.json"),
    SHOP_PORT: "0",
  };
  const child = spawn(process.execPath, [FILE], { env, stdio: ["ignore", "pipe", "inherit"] });
  const url = await addressOf(child);
  return {
    url,
    account: buyer.account,
    products: codes,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null) return;
      child.kill();
      await once(child, "exit");
    },
  };
}

async function addressOf(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("the example shop says nothing");
  const said = await Promise.race([
    once(child.stdout, "data").then(([line]) => String(line)),
    once(child, "exit").then(() => "the example shop has ended"),
  ]);
  const url = /http:\S+/.exec(said)?.[0];
  if (url === undefined) throw new Error(said);
  return url;
}

function buysOnAccount({ state, onStop, cashAccount, creditLimit }: Customer): boolean {
  return state === "active" && !onStop && !cashAccount && creditLimit === null;
}

function soldByTheOne(product: Product): boolean {
  const { state, soldOnWeb, replacedBy, leastQuantity, multipleQuantity } = product;
  const sold = state === "active" && soldOnWeb && replacedBy === null;
  return sold && leastQuantity === null && multipleQuantity === null;
}

/** What the buyer sees there is what Tradepost says, and what is ordered. */
export async function orderThroughShop(
  story: Story,
  webShop: WebShop,
  shop: Shop,
): Promise<{ readonly number: string }> {
  const { account, products } = webShop;
  const page = await (await fetch(webShop.url)).text();
  const lines = products.map((product) => ({ product, quantity: "1" }));
  const { body } = await shop.post("/v1/prices", { account, lines });
  const hidden = /name="lines" value="([^"]*)"/.exec(page)?.[1] ?? "[]";
  const shown: unknown = JSON.parse(plainText(hidden));
  story.holds(
    `the example shop shows ${account} the prices of the API`,
    products.map((_, at) => [
      field(shown, at, "unitPrice"),
      page.includes(String(field(shown, at, "unitPrice"))),
    ]),
    products.map((_, at) => [field(body, "lines", at, "unitPrice"), true]),
  );
  const form = new URLSearchParams({ lines: JSON.stringify(shown) });
  const answer = await (await fetch(webShop.url, { method: "POST", body: form })).text();
  const number = /href="\/([^"]+)"/.exec(answer)?.[1] ?? `none: ${answer}`;
  const { body: taken } = await shop.get(`/v1/orders/${number}`);
  story.holds(
    "an order placed through the example shop, each price with its token, is taken",
    [field(taken, "webOrder"), field(taken, "lines", "length")],
    [number, products.length],
  );
  return { number };
}

function plainText(html: string): string {
  return html.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}

/** It reads the feed every second, and knows of each move by itself. */
export async function followedByShop(
  story: Story,
  world: World,
  webShop: WebShop,
  number: string,
): Promise<void> {
  const books = world.erp.books().webOrders.find(({ webOrder }) => webOrder === number);
  const documents = (books?.erpOrders ?? []).flatMap((order) =>
    order.documents.map(({ document }) => document),
  );
  let front = "";
  for (let tries = 0; tries < 50 && !front.includes("confirmed"); tries += 1) {
    front = await (await fetch(webShop.url)).text();
    await sleep(100);
  }
  const page = await (await fetch(`${webShop.url}/${number}`)).text();
  story.say(
    `${webShop.url}/${number}: ${plainText(page)
      .replaceAll(/<[^>]*>|\s+/g, " ")
      .trim()}`,
  );
  story.holds(
    "the example shop followed it from the feed, and links each invoice of the ERP",
    [
      front.includes("confirmed"),
      documents.length > 0,
      documents.filter((document) => !page.includes(`href="/${number}/${document}"`)),
    ],
    [true, true, []],
  );
}
