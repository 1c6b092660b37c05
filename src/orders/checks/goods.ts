/** Products and quantities of the lines. Pure. */
import { decimal, type Canonical } from "../../model/index.ts";
import type { Checking, Note } from "../checks.ts";
import { sellingQuantity } from "../facts.ts";
import { quantityText } from "../words.ts";

type Line = Checking["request"]["lines"][number];
type Refusal = Omit<Note, "check" | "line">;

export function checkGoods(checking: Checking): void {
  const { request, facts, note } = checking;
  for (const [index, line] of request.lines.entries()) {
    const product = facts.products.get(line.product);
    const at = index + 1;
    const refusal = productRefusal(line.product, product, facts.surroundings);
    if (refusal !== null) note({ check: "product", line: at, ...refusal });
    else if (facts.surroundings?.hidden.has(line.product) === true)
      note({ check: "visibility", line: at, ...notVisible(line.product, request.account) });
    const quantity = sellingQuantity(line, facts.prices[index]);
    if (product === undefined) continue;
    for (const found of quantityRefusals(line, quantity, product))
      note({ check: "quantity", line: at, ...found });
  }
  checkCodes(checking);
}

function productRefusal(
  code: string,
  product: Canonical<"product"> | undefined,
  surroundings: Checking["facts"]["surroundings"],
): Refusal | null {
  const expected = "an active product that is sold on the web";
  const say = (reason: string, about: string, instruction: string): Refusal => ({
    code: reason,
    found: code,
    expected,
    about,
    instruction,
  });
  if (product === undefined)
    return say("product-unknown", `Product ${code} is not known.`, "Order a product of the list.");
  if (product.replacedBy !== null)
    return replaced(code, product.replacedBy, surroundings?.replacements.get(code));
  if (product.state !== "active")
    return say("product-not-active", `Product ${code} is ${product.state}.`, "Remove the line.");
  if (!product.soldOnWeb)
    return say("product-not-on-web", `Product ${code} is not sold on the web.`, "Remove the line.");
  return null;
}

/** @param offer what may be ordered in its place; null: nothing may; undefined: not known. */
function replaced(code: string, by: string, offer: string | null | undefined): Refusal {
  const offered = offer === undefined ? by : offer;
  const last = offered === null || offered === by ? "" : `, and that by ${offered}`;
  return {
    code: "product-replaced",
    found: code,
    expected: offered ?? "an active product that is sold on the web",
    about:
      `Product ${code} is replaced by ${by}${last}` +
      `${offered === null ? ", which cannot be ordered either" : ""}.`,
    instruction:
      offered === null
        ? "Remove the line."
        : `Offer ${offered} to the customer; it is never swapped by itself.`,
    offers: offered === null ? [] : [offered],
  };
}

function notVisible(code: string, account: string): Refusal {
  return {
    code: "product-not-visible",
    found: code,
    expected: `a product that account ${account} is shown`,
    about: `Product ${code} is not sold to account ${account}.`,
    instruction: "Remove the line, or show the product to the customer in the ERP.",
  };
}

function quantityRefusals(
  line: Line,
  quantity: string,
  product: Canonical<"product">,
): readonly Refusal[] {
  const { leastQuantity, multipleQuantity, sellingUnit } = product;
  const inUnits = (selling: string) => ordered(selling, line, quantity, sellingUnit);
  const instruction = "Change the quantity.";
  const found = line.unit === undefined ? quantity : inUnits(quantity);
  const refusals: Refusal[] = [];
  if (leastQuantity !== null && isLess(quantity, leastQuantity))
    refusals.push({
      code: "quantity-below-least",
      found,
      expected: `at least ${inUnits(leastQuantity)}`,
      about: `Product ${product.product} is sold from ${quantityText(leastQuantity)} ${sellingUnit}.`,
      instruction,
    });
  if (multipleQuantity !== null && !isMultiple(quantity, multipleQuantity))
    refusals.push({
      code: "quantity-not-a-multiple",
      found,
      expected: `a multiple of ${inUnits(multipleQuantity)}`,
      about: `Product ${product.product} is sold in multiples of ${quantityText(multipleQuantity)} ${sellingUnit}.`,
      instruction,
    });
  return refusals;
}

/** "50", or where another unit was ordered "2 BOX (50 EACH)", if it comes to whole ones. */
function ordered(selling: string, line: Line, quantity: string, sellingUnit: string): string {
  const plain = quantityText(selling);
  if (line.unit === undefined) return plain;
  const [wanted, given, stands] = [selling, line.quantity, quantity].map((text) =>
    decimal.parse(text),
  );
  const each = `${plain} ${sellingUnit}`;
  if (wanted === undefined || given === undefined || stands === undefined) return each;
  const scale = wanted.scale + given.scale + stands.scale;
  const over = decimal.digitsAt(decimal.multiply(wanted, given), scale);
  const under = decimal.digitsAt(stands, scale);
  if (under === 0n || over % under !== 0n) return each;
  return `${over / under} ${line.unit} (${each})`;
}

function isLess(quantity: string, least: string): boolean {
  return decimal.compare(decimal.parse(quantity), decimal.parse(least)) < 0;
}

/** A multiple of 0 restricts nothing. */
function isMultiple(quantity: string, multiple: string): boolean {
  const [left, right] = [decimal.parse(quantity), decimal.parse(multiple)];
  const scale = Math.max(left.scale, right.scale);
  const divisor = decimal.digitsAt(right, scale);
  return divisor === 0n || decimal.digitsAt(left, scale) % divisor === 0n;
}

/** A code that no promotion of now has gives nothing; the price is right without it. */
function checkCodes({ facts: { unknownCodes = [] }, note }: Checking): void {
  for (const code of unknownCodes)
    note({
      check: "price",
      policy: "accept",
      code: "promotion-code-unknown",
      found: code,
      expected: "the code of a promotion that holds now",
      about: `No promotion has the code ${code} now; it changes nothing.`,
      instruction: "Tell the customer that the code gives nothing.",
    });
}
