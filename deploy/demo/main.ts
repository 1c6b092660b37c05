/**
 * `npm run demo`: a builders' merchant from price to pay, told step by step on its own database and
 * a simulated ERP; then it stays up with the API. `--check` ends after the story, with 0 only if
 * every statement in it held. `--small` tells it at a twentieth of the size.
 */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { stopSignal, tell } from "../../src/main.ts";
import { isFree } from "./port.ts";
import { openShop } from "./shop.ts";
import { tellStory } from "./story.ts";
import { compareOrders, daysPass, placeOrders } from "./steps/orders.ts";
import { proveExplanations } from "./steps/explain.ts";
import { goLive } from "./steps/live.ts";
import { proveParity } from "./steps/parity.ts";
import { followPenny, provePay, proveSales } from "./steps/pay.ts";
import { followedByShop, openWebShop, orderThroughShop, SHOP_DAY } from "./steps/web-shop.ts";
import { ALL_FAULTS, firstPull, introduce, provePrices } from "./steps/pull.ts";
import { COMPANY, DEMO_PORT, openWorld } from "./world.ts";

const KNOWN = ["--check", "--small"];
const unknown = process.argv.slice(2).filter((word) => !KNOWN.includes(word));
if (unknown.length > 0) {
  process.stderr.write(`The demo knows ${KNOWN.join(" and ")}, not ${unknown.join(" ")}.\n`);
  process.exit(2);
}
process.once("uncaughtException", (error) => {
  process.stderr.write(`${tell(error).message}\n`);
  process.exit(1);
});
const check = process.argv.includes("--check");
const small = process.argv.includes("--small");

if (!check && !(await isFree(DEMO_PORT))) {
  process.stderr.write(
    `Port ${DEMO_PORT} is taken, perhaps by a demo that still runs. Stop that first: a demo begins ` +
      "by clearing away the one before.\n",
  );
  process.exit(1);
}

const story = tellStory((text) => process.stdout.write(text));
process.stdout.write("Making a merchant, and three years of its ERP's history …\n");
await using world = await openWorld({
  folder: resolve(".tradepost", check ? "demo-check" : "demo"),
  ...(small ? { merchant: { customers: 100, invoiceLines: 10_000 } } : {}),
  faults: ALL_FAULTS,
  log: (line) => process.stderr.write(`${line}\n`),
});
introduce(story, world);
await firstPull(story, world);
await goLive(story, world);
const { secret } = await world.tradepost.access.createKey({
  company: COMPANY,
  name: "The demo's shop",
  scopes: ["prices", "orders", "sales", "pay"],
  test: false,
  createdBy: "the demo",
});
const api = await world.tradepost.serve(check ? { port: 0 } : {});
const shop = openShop(api.url, secret);
await provePrices(story, world, shop);
await proveExplanations(story, world);
const placed = await placeOrders(story, world, shop);
await using webShop = await openWebShop(world, { url: api.url, key: secret });
const throughShop: { readonly number: string }[] = [];
// Late enough that documents which README.md follows have their numbers by then.
const orderInShop = async () => {
  throughShop.push(await orderThroughShop(story, webShop, shop));
  await world.tradepost.drain();
};
await daysPass(story, world, placed, new Map([[SHOP_DAY, orderInShop]]));
await compareOrders(story, world, [...placed, ...throughShop]);
for (const { number } of throughShop) await followedByShop(story, world, webShop, number);
await proveSales(story, world);
await proveParity(story, world);
await provePay(story, world, shop);
const met = await followPenny(
  story,
  world,
  placed.map(({ number }) => number),
);
if (!small) {
  const readme = await readFile(resolve(import.meta.dirname, "..", "..", "README.md"), "utf8");
  const missing = met.filter((each) => !readme.includes(each));
  story.holds("README.md follows this very penny", missing, []);
}
const broken = story.end();

if (!check) {
  const [customer] = world.merchant.customers;
  const [product] = world.merchant.products;
  const { databaseUrl } = world.tradepost.settings;
  const database =
    databaseUrl === null
      ? ""
      : `, with DATABASE_URL naming the demo's database${new URL(databaseUrl).pathname.replace("/", " ")}`;
  process.stdout.write(
    [
      "",
      `The example shop shows its pages at ${webShop.url}`,
      `The API answers at ${api.url} until you press Ctrl-C. For example:`,
      "",
      `  curl -s ${api.url}/v1/prices -H 'authorization: Bearer ${secret}' -H 'content-type: application/json' \\`,
      `    -d '{"account":"${customer?.account}","lines":[{"product":"${product?.product}","quantity":"10"}]}'`,
      "",
      `In another terminal${database}:  npm run -s demo:tradepost -- status`,
      "",
    ].join("\n"),
  );
  await stopSignal();
}
await api.close();
process.exitCode = broken === 0 ? 0 : 1;
