// A web shop in one file, in plain HTTP: a customer's prices, an order, its statuses, its invoices.
//  TRADEPOST_URL=http://127.0.0.1:4600 TRADEPOST_KEY=… SHOP_ACCOUNT=A1 SHOP_PRODUCTS=B node shop.js
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
const { TRADEPOST_URL: api, TRADEPOST_KEY: key, SHOP_ACCOUNT: account } = process.env;
const { SHOP_PRODUCTS = "", SHOP_PORT = "8080", SHOP_FILE: file = "orders.json" } = process.env;
/** Orders by their numbers, and how far the feed was read; a restart goes on from here. */
const kept = existsSync(file) ? JSON.parse(readFileSync(file)) : { cursor: "0", orders: {} };
function keep() {
  writeFileSync(`${file}.new`, JSON.stringify(kept), { flush: true });
  renameSync(`${file}.new`, file);
}
async function ask(method, path, body, more) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json", ...more };
  const sent = { method, headers, signal: AbortSignal.timeout(30_000), body: JSON.stringify(body) };
  const response = await fetch(api + path, sent).catch(() => undefined);
  return { status: response?.status, body: await response?.json().catch(() => ({})) };
}

/** Kept before it is sent, and its number is its key: sent again and again, it is taken once. */
async function send(order) {
  keep();
  const key = { "idempotency-key": order.body.webOrder };
  const { status, body } = await ask("POST", "/v1/orders", order.body, key);
  // The feed may have been faster. A key that is not good judged nothing: the order is sent again.
  if (status === 201 || status === 202) order.state ??= body.state;
  else if ([400, 422].includes(status)) order.state = `refused: ${body.detail}`;
  else order.waits = `not taken yet: ${body?.detail ?? "no answer"}`;
}

/** What happened since we last looked, in order; and what has no answer yet is sent again. */
async function follow() {
  const { status, body } = await ask("GET", `/v1/events?types=order.*&after=${kept.cursor}`);
  for (const { data } of body?.events ?? [])
    Object.assign(kept.orders[data.webOrder] ?? {}, { state: data.state });
  // A backup was restored there, say, and lacks orders: one that it has is taken once all the same.
  for (const order of status === 410 ? Object.values(kept.orders) : [])
    if (!/^(confirmed|refused|cancelled)/.test(order.state)) delete order.state;
  kept.cursor = status === 410 ? "0" : (body?.cursor ?? kept.cursor);
  for (const order of Object.values(kept.orders)) if (!order.state) await send(order);
  keep();
}

const safe = (value) => String(value ?? "–").replaceAll(/[&<>"]/g, (c) => `&#${c.charCodeAt()};`);
const table = (rows) => `<table>${rows.map((r) => `<tr><td>${r.join("<td>")}`).join("")}</table>`;
const stateOf = (order) => safe(order.state ?? order.waits ?? "on its way");
const path = (...parts) => parts.map(encodeURIComponent).join("/");
const link = (parts, words) => `<a href="/${path(...parts)}">${safe(words)}</a>`;
const input = (name, value) => `<input name="${safe(name)}" value="${safe(value)}">`;
const per = ({ unitPrice: p, pricingUnit: u }) => p && `${p} per ${u.replace(/\B(?=\d{3}$)/, ",")}`;

/** What this customer pays for these quantities; each price has a token that holds us to it. */
async function front(wanted) {
  const products = SHOP_PRODUCTS.split(",");
  const asked = products.map((product) => ({ product, quantity: wanted.get(product) || "1" }));
  const { body } = await ask("POST", "/v1/prices", { account, tokens: true, lines: asked });
  if (!body?.lines) throw new Error(body?.detail ?? "no answer");
  const cells = (l) => [safe(l.product), input(l.product, l.quantity), safe(per(l) ?? "ask")];
  const lines = body.lines.flatMap(({ product, quantity, unitPrice, token: priceToken }) =>
    unitPrice ? [{ product, quantity, unitPrice, priceToken }] : [],
  );
  const own = Object.entries(kept.orders).filter(([, { body }]) => body.account === account);
  return `<form>${table(body.lines.map(cells))}<button>Prices for these quantities</button></form>
    <form method=post>${input("lines", JSON.stringify(lines))}<button>Order</button></form>
    ${table(own.map(([number, order]) => [link([number], number), stateOf(order)]))}`;
}

async function place(form) {
  const webOrder = `SHOP-${randomUUID().slice(0, 13)}`;
  const order = { body: { webOrder, account, lines: JSON.parse(form.get("lines")) } };
  kept.orders[webOrder] = order;
  await send(order);
  return `${link([webOrder], webOrder)}: ${stateOf(order)}`;
}

/** The key opens every customer's orders: ask with the login's account, never one from outside. */
async function shown(number, paper) {
  const { body } = await ask("GET", `/v1/orders/${path(number)}?account=${path(account)}`);
  if (!body?.lines) throw new Error(body?.detail ?? "no answer");
  const papers = body.invoices.map((p) => [link([number, p.document], p.document), p.gross]);
  const { lines } = body.invoices.find(({ document }) => document === paper) ?? body;
  const rows = lines.map(({ product, quantity, net }) => [product, quantity, net].map(safe));
  return `${safe(body.webOrder)}: ${body.state}, ${body.fulfilment} ${table(papers)}${table(rows)}`;
}
const server = createServer(async (request, response) => {
  try {
    const { pathname, searchParams } = new URL(`http://shop${request.url}`);
    const [, number, paper] = pathname.split("/").map(decodeURIComponent);
    const form = request.method === "POST" && new URLSearchParams(await text(request));
    const page = form ? place(form) : number ? shown(number, paper) : front(searchParams);
    response.setHeader("content-type", "text/html; charset=utf-8").end(await page);
  } catch (error) {
    response.writeHead(502, { "content-type": "text/plain; charset=utf-8" }).end(error.message);
  }
});
const begun = () => console.log(`The shop is at http://127.0.0.1:${server.address().port}`);
server.listen(Number(SHOP_PORT), "127.0.0.1", begun);
setInterval(follow, 1_000);
