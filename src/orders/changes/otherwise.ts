/** What an order is to be beside what it is, in words: every part of it that differs. Pure. */
import { decimal, type WebOrder } from "../../model/index.ts";

export interface Otherwise {
  /** The part, as people call it. */
  readonly what: string;
  readonly was: string;
  readonly is: string;
}

/** As a sentence without its end; empty: nothing differs. */
export function inWords(differing: readonly Otherwise[]): string {
  return differing.map(({ what, was, is }) => `${what}: was ${was}, is to be ${is}`).join("; ");
}

export function otherwise(was: WebOrder, is: WebOrder): readonly Otherwise[] {
  return [
    ...entries(PARTS).flatMap(([part, what]) =>
      differing(what, textOf(was[part]), textOf(is[part])),
    ),
    ...differing("conditions", conditionsOf(was), conditionsOf(is)),
    ...nested("delivery address", ADDRESS, was.deliverTo, is.deliverTo),
    ...nested("guest", GUEST, was.guest, is.guest),
    ...nested("payment", PAYMENT, was.payment, is.payment),
    ...listed(was.lines, is.lines, ({ line }) => `line ${line}`, sayLine),
    ...listed(
      numbered(was),
      numbered(is),
      ({ name }) => name,
      ({ charge }) => sayCharge(charge),
    ),
    ...SUMS.flatMap(([part, what]) => differing(what, money(was[part]), money(is[part]))),
  ];
}

type Nested = "conditions" | "deliverTo" | "guest" | "payment" | "lines" | "charges";
type Sum = "net" | "vat" | "gross";

const PARTS: Readonly<Record<Exclude<keyof WebOrder, Nested | Sum>, string>> = {
  webOrder: "number",
  account: "account",
  orderedOn: "day of the order",
  placedBy: "placed by",
  placedByName: "placed by (name)",
  customerReference: "customer's reference",
  site: "delivery site",
  accountRequest: "account request",
  branch: "branch",
  requestedOn: "delivery wanted on",
  currency: "currency",
};

const SUMS: readonly (readonly [Sum, string])[] = [
  ["net", "net"],
  ["vat", "VAT"],
  ["gross", "gross"],
];

const ADDRESS: Names<NonNullable<WebOrder["deliverTo"]>> = {
  name: "name",
  address1: "line 1",
  address2: "line 2",
  address3: "line 3",
  town: "town",
  county: "county",
  postcode: "postcode",
  country: "country",
  contact: "contact",
  telephone: "telephone",
  email: "e-mail",
};

const GUEST: Names<NonNullable<WebOrder["guest"]>> = {
  name: "name",
  email: "e-mail",
  telephone: "telephone",
};

const PAYMENT: Names<NonNullable<WebOrder["payment"]>> = {
  amount: "amount",
  provider: "taken by",
  reference: "reference",
};

type Names<Whole> = Readonly<Record<keyof Whole & string, string>>;

function entries<Key extends string>(names: Readonly<Record<Key, string>>): [Key, string][] {
  return Object.entries(names) as [Key, string][];
}

/** Null: there is none. */
type Text = string | null;

function textOf(value: string | null | undefined): Text {
  return value === undefined || value === "" ? null : value;
}

function differing(what: string, was: Text, is: Text): Otherwise[] {
  return was === is ? [] : [{ what, was: was ?? "none", is: is ?? "none" }];
}

/** One that comes or goes is said as a whole; of one that stays, each part that differs. */
function nested<Whole extends object>(
  what: string,
  names: Names<Whole>,
  was: Whole | null,
  is: Whole | null,
): Otherwise[] {
  const parts = entries(names);
  const read = (whole: Whole, part: keyof Whole): Text => textOf(String(whole[part] ?? ""));
  if (was !== null && is !== null)
    return parts.flatMap(([part, name]) =>
      differing(`${what}, ${name}`, read(was, part), read(is, part)),
    );
  const say = (whole: Whole | null): Text =>
    whole === null
      ? null
      : parts
          .filter(([part]) => read(whole, part) !== null)
          .map(([part, name]) => `${name} ${read(whole, part)}`)
          .join(", ");
  return differing(what, say(was), say(is));
}

function conditionsOf({ conditions }: Pick<WebOrder, "conditions">): Text {
  const pairs = Object.entries(conditions).map(([name, value]) => `${name}=${value}`);
  return textOf(pairs.toSorted().join(", "));
}

function listed<One>(
  was: readonly One[],
  is: readonly One[],
  name: (one: One) => string,
  say: (one: One) => string,
): Otherwise[] {
  const [before, now] = [was, is].map((all) => new Map(all.map((one) => [name(one), say(one)])));
  const names = [...new Set([...was, ...is].map(name))];
  return names.flatMap((what) =>
    differing(what, before?.get(what) ?? null, now?.get(what) ?? null),
  );
}

function sayLine(line: WebOrder["lines"][number]): string {
  const { product, quantity, unitPrice, discount, net, vat, vatCode } = line;
  const { orderedUnit, orderedQuantity } = line;
  const inUnit =
    orderedUnit === null ? "" : ` (${number(orderedQuantity ?? quantity)} ${orderedUnit})`;
  const off = /[1-9]/.test(discount) ? ` less ${money(discount)}` : "";
  return (
    `${number(quantity)} × ${product}${inUnit} at ${money(unitPrice)}${off}, ` +
    `${money(net)} net and ${money(vat)} VAT (${vatCode})`
  );
}

/** Charges have no number: the second of one code is told from the first. */
function numbered({ charges }: WebOrder) {
  const counts = new Map<string, number>();
  return charges.map((charge) => {
    const count = (counts.get(charge.charge) ?? 0) + 1;
    counts.set(charge.charge, count);
    return { charge, name: `charge ${charge.charge}${count === 1 ? "" : ` (${count})`}` };
  });
}

function sayCharge({ description, net, vat, vatCode }: WebOrder["charges"][number]): string {
  const about = description === null ? "" : `${description}, `;
  return `${about}${money(net)} net and ${money(vat)} VAT (${vatCode})`;
}

function number(text: string): string {
  return decimal.canonical(decimal.parse(text));
}

/** With pence, and with whatever is below them. */
function money(text: string): string {
  const value = decimal.parse(number(text));
  return value.scale > 2
    ? decimal.canonical(value)
    : decimal.format({ digits: decimal.digitsAt(value, 2), scale: 2 });
}
