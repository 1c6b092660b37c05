/** What the shop orders on each day: the same for the same merchant, whatever is killed. */
import {
  randomOf,
  type Customer,
  type Merchant,
  type Product,
  type Random,
} from "../../deploy/demo/merchant/index.ts";
import type { PlannedOrder } from "./worker.ts";

type Basket = Pick<PlannedOrder, "account" | "lines">;

/** Whether the merchant has all whom these orders need: small ones do not always. */
export function hasBuyers(merchant: Merchant): boolean {
  const { free, limited, stopped } = buyersOf(merchant);
  return free.length > 2 && limited.length > 0 && stopped.length > 0;
}

function buyersOf({ customers }: Merchant) {
  const buyers = customers.filter(canBuy);
  return {
    /** Without a limit of credit. */
    free: buyers.filter(({ creditLimit }) => creditLimit === null),
    limited: buyers.filter(({ creditLimit }) => Number(creditLimit ?? "0") > 0),
    stopped: customers.filter(({ onStop }) => onStop),
  };
}

/** Orders that every check lets pass; `first` is the number of the first one. */
export function goodOrders(merchant: Merchant, first: number, count: number): PlannedOrder[] {
  const { free } = buyersOf(merchant);
  return Array.from({ length: count }, (_, index) => {
    const number = `F-${String(first + index).padStart(4, "0")}`;
    const random = randomOf(merchant.seed, "fault", number);
    return {
      ...planned(number, basket(merchant, random.pick(free), random)),
      charges: index % 3 === 0 ? [{ charge: "CARR", net: "8.50" }] : [],
    };
  });
}

/** Two orders over the credit limit, one of them released, and three that are refused. */
export function awkwardOrders(merchant: Merchant): PlannedOrder[] {
  const random = randomOf(merchant.seed, "fault", "awkward");
  const { free, limited, stopped } = buyersOf(merchant);
  const good = basket(merchant, random.pick(free), random);
  const large = () => basket(merchant, random.pick(limited), random, 800);
  return [
    { ...planned("F-HELD-1", large()), release: true },
    planned("F-HELD-2", large()),
    planned("F-STOP", basket(merchant, random.pick(stopped), random)),
    { ...planned("F-CHEAP", good), ownPrice: "0.01" },
    planned("F-UNKNOWN", { ...good, lines: [{ product: "NO-SUCH-THING", quantity: "1" }] }),
  ];
}

function planned(number: string, basket: Basket): PlannedOrder {
  return { number, ...basket, charges: [], ownPrice: null, release: false };
}

function basket(merchant: Merchant, buyer: Customer, random: Random, times = 1): Basket {
  const products = merchant.products.filter(canOrder);
  const chosen = new Map<string, string>();
  while (chosen.size < 3) {
    const product = random.pick(products);
    chosen.set(product.product, quantityOf(product, random.whole(1, 12) * times));
  }
  return {
    account: buyer.account,
    lines: [...chosen].map(([product, quantity]) => ({ product, quantity })),
  };
}

function canBuy(customer: Customer): boolean {
  return customer.state === "active" && !customer.onStop && !customer.cashAccount;
}

function canOrder(product: Product): boolean {
  return product.state === "active" && product.soldOnWeb && product.replacedBy === null;
}

/** At least the least quantity, and a multiple where one is asked for. */
function quantityOf(product: Product, wanted: number): string {
  const least = Number(product.leastQuantity ?? "1");
  const multiple = Number(product.multipleQuantity ?? "1");
  return String(Math.ceil(Math.max(wanted, least) / multiple) * multiple);
}
