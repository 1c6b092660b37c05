/** The sales ledger: what each account owes, its payments, and which documents they settle. */
import { calendar, type Merchant } from "../../../deploy/demo/merchant/index.ts";
import type { Exporter } from "./exporter.ts";
import { money } from "./figures.ts";
import type { Row } from "./layout.ts";
import type { PostedDocument } from "./posting.ts";

export interface Ledger {
  post(posted: PostedDocument, at: { readonly day: number; readonly period: string }): void;
  /** Money that came with a web order; it settles the order's invoices. */
  prepay(account: string, pence: number, webOrder: string, day: number): void;
  /** Accounts pay what is due, credit notes first. */
  collect(day: number): void;
  balances(): ReadonlyMap<string, number>;
  /** Rows that are new or changed since the last call. */
  changed(): readonly Row<"ledger-transactions">[];
}

interface Item {
  readonly transaction: string;
  readonly kind: "invoice" | "credit" | "receipt" | "refund" | "journal" | "opening";
  readonly document: string | null;
  readonly account: string;
  readonly day: number;
  readonly period: string;
  readonly net: number | null;
  readonly vat: number | null;
  readonly gross: number;
  readonly dueDay: number | null;
  /** Grows down to 0 as it is settled. */
  outstanding: number;
}

interface Books {
  readonly merchant: Merchant;
  readonly out: Exporter;
  readonly number: (series: "receipt" | "settlement") => string;
  /** Not settled yet, by account, oldest first. */
  readonly open: Map<string, Item[]>;
  readonly changed: Set<Item>;
  /** Receipts that came with web orders, by web order. */
  readonly prepaid: Map<string, Item[]>;
  readonly terms: ReadonlyMap<string, { days: number; endOfMonth: boolean; cash: boolean }>;
}

export function ledgerOf(
  merchant: Merchant,
  out: Exporter,
  number: (series: "receipt" | "settlement") => string,
): Ledger {
  const books: Books = {
    merchant,
    out,
    number,
    open: new Map(),
    changed: new Set(),
    prepaid: new Map(),
    terms: termsOf(merchant),
  };
  openAccounts(books);
  return {
    post: (posted, at) => postDocument(books, posted, at),
    prepay(account, pence, webOrder, day) {
      const item = receive(books, { account, pence, day, kind: "cash" });
      books.prepaid.set(webOrder, [...(books.prepaid.get(webOrder) ?? []), item]);
    },
    collect(day) {
      for (const account of books.open.keys()) collectFrom(books, account, day);
    },
    balances: () => balancesOf(books),
    changed() {
      const rows = [...books.changed].map(rowOf);
      books.changed.clear();
      return rows;
    },
  };
}

function termsOf({ customers }: Merchant): Books["terms"] {
  return new Map(
    customers.map(({ account, termsDays, termsBasis, cashAccount }) => [
      account,
      { days: termsDays ?? 30, endOfMonth: termsBasis === "end-of-month", cash: cashAccount },
    ]),
  );
}

/** What accounts owed when this ledger began. */
function openAccounts(books: Books): void {
  const day = calendar.dayOf(books.merchant.opensOn) - 1;
  for (const { account, openingPence } of books.merchant.habits.values()) {
    if (openingPence === 0) continue;
    enter(books, {
      transaction: `OB-${account}`,
      kind: "opening",
      document: null,
      account,
      day,
      period: monthOf(day),
      net: null,
      vat: null,
      gross: openingPence,
      dueDay: day + 30,
    });
  }
}

function monthOf(day: number): string {
  return calendar.isoOf(day).slice(0, 7);
}

function enter(books: Books, entry: Omit<Item, "outstanding">): Item {
  const item = { ...entry, outstanding: entry.gross };
  const items = books.open.get(item.account);
  if (items === undefined) books.open.set(item.account, [item]);
  else items.push(item);
  books.changed.add(item);
  return item;
}

function postDocument(
  books: Books,
  posted: PostedDocument,
  { day, period }: { day: number; period: string },
): void {
  const { documentType, document, heading, net, vat } = posted;
  const terms = books.terms.get(heading.account) ?? { days: 30, endOfMonth: true, cash: false };
  const from = terms.endOfMonth ? calendar.endOfMonth(day) : day;
  const item = enter(books, {
    transaction: `${documentType === "invoice" ? "SI" : "SC"}-${document}`,
    kind: documentType,
    document,
    account: heading.account,
    day,
    period,
    net,
    vat,
    gross: net + vat,
    dueDay: documentType === "invoice" ? from + terms.days : null,
  });
  if (terms.cash) settleAtTill(books, item);
  else if (heading.webOrder !== null && documentType === "invoice")
    settlePrepaid(books, item, heading.webOrder);
  tidy(books, heading.account);
}

/** Over the counter the money changes hands at once, either way. */
function settleAtTill(books: Books, item: Item): void {
  const { account, day, outstanding } = item;
  if (outstanding === 0) return;
  if (item.kind === "invoice") {
    settle(books, item, receive(books, { account, pence: outstanding, day, kind: "cash" }), day);
  } else {
    const refund = receive(books, { account, pence: outstanding, day, kind: "refund" });
    for (const one of [item, refund]) reduce(books, one, outstanding);
  }
}

function settlePrepaid(books: Books, invoice: Item, webOrder: string): void {
  for (const receipt of books.prepaid.get(webOrder) ?? [])
    settle(books, invoice, receipt, invoice.day);
}

interface Payment {
  readonly account: string;
  readonly pence: number;
  readonly day: number;
  readonly kind: "cash" | "refund" | "contra" | "write-off";
}

function receive(books: Books, { account, pence, day, kind }: Payment): Item {
  const receipt = books.number("receipt");
  books.out.add("receipts", {
    receipt,
    account,
    receivedOn: calendar.isoOf(day),
    kind,
    amount: money(kind === "refund" ? -pence : pence),
    currency: "GBP",
  });
  return enter(books, {
    transaction: `SR-${receipt}`,
    kind: kind === "refund" ? "refund" : kind === "write-off" ? "journal" : "receipt",
    document: receipt,
    account,
    day,
    period: monthOf(day),
    net: null,
    vat: null,
    gross: pence,
    dueDay: null,
  });
}

/** Uses a receipt or credit note for an invoice, as far as both reach. */
function settle(books: Books, invoice: Item, means: Item, day: number): void {
  const amount = Math.min(invoice.outstanding, means.outstanding);
  if (amount <= 0) return;
  reduce(books, invoice, amount);
  reduce(books, means, amount);
  // An opening balance has no document that a settlement could name.
  if (invoice.document === null) return;
  books.out.add("settlements", {
    settlement: books.number("settlement"),
    receipt: means.kind === "credit" ? null : means.document,
    creditDocument: means.kind === "credit" ? means.document : null,
    document: invoice.document,
    settledOn: calendar.isoOf(day),
    amount: money(amount),
  });
}

function reduce(books: Books, item: Item, amount: number): void {
  item.outstanding -= amount;
  books.changed.add(item);
}

function tidy(books: Books, account: string): void {
  const items = books.open.get(account)?.filter((item) => item.outstanding !== 0) ?? [];
  books.open.set(account, items);
}

const owes = ({ kind }: Item) => kind === "invoice" || kind === "opening";

function collectFrom(books: Books, account: string, day: number): void {
  const items = books.open.get(account) ?? [];
  const habit = books.merchant.habits.get(account);
  if (items.length === 0 || habit === undefined) return;
  const { lastDay, daysLate } = habit;
  const dried = lastDay !== null && day > lastDay - 75;
  if (dried && (lastDay === null || day < lastDay + 120)) return;
  const due = items.filter((item) => owes(item) && (item.dueDay ?? 0) + daysLate <= day);
  if (due.length === 0) return;
  for (const means of items.filter((item) => !owes(item))) {
    for (const invoice of due) settle(books, invoice, means, day);
  }
  const pence = due.reduce((sum, item) => sum + item.outstanding, 0);
  if (pence > 0) {
    // What a closed or stopped account owes for months is written off.
    const kind = dried ? "write-off" : pence % 97 === 0 ? "contra" : "cash";
    const means = receive(books, { account, pence, day, kind });
    for (const invoice of due) settle(books, invoice, means, day);
  }
  tidy(books, account);
}

function balancesOf(books: Books): ReadonlyMap<string, number> {
  return new Map(
    [...books.open].map(([account, items]) => [
      account,
      items.reduce((sum, item) => sum + (owes(item) ? item.outstanding : -item.outstanding), 0),
    ]),
  );
}

function rowOf(item: Item): Row<"ledger-transactions"> {
  return {
    transaction: item.transaction,
    kind: item.kind,
    document: item.document,
    account: item.account,
    postedOn: calendar.isoOf(item.day),
    period: item.period,
    net: item.net === null ? null : money(item.net),
    vat: item.vat === null ? null : money(item.vat),
    gross: money(item.gross),
    outstanding: money(item.outstanding),
    dueOn: item.dueDay === null ? null : calendar.isoOf(item.dueDay),
  };
}
