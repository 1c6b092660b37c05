/** What is sold: products, their groups, stock. */
import {
  choice,
  code,
  date,
  defineRecord,
  flag,
  instant,
  optional,
  otherwise,
  quantity,
  text,
  unitPrice,
} from "../record.ts";

export const productGroup = defineRecord({
  name: "product-group",
  about: "A group of products, for discounts and pay.",
  key: ["productGroup"],
  fields: {
    productGroup: code(40, "Code of the group."),
    name: text(100, "Name of the group."),
    parent: optional(code(40, "Group above it; null at the top.")),
  },
});

export const product = defineRecord({
  name: "product",
  about: "A product as the ERP sells it: units, packs, VAT, and whether and how the web sells it.",
  key: ["product"],
  fields: {
    product: code(60, "Product (stock) code."),
    name: text(200, "Name shown to buyers."),
    description: optional(text(4000, "Long description; null when blank.")),
    productGroup: optional(code(40, "Product group; null when in none.")),
    barcode: optional(text(60, "Barcode; null when none.")),
    sellingUnit: otherwise("EACH", code(20, "Unit that quantities count.")),
    pricingUnit: otherwise("EACH", code(20, "Unit that prices are per; bricks: 1000.")),
    sellingUnitsPerPricingUnit: otherwise(
      "1",
      quantity("Selling units in one pricing unit; bricks sold singly, priced per 1,000: 1000."),
    ),
    packQuantity: otherwise("1", quantity("Selling units in a pack.")),
    vatCode: otherwise("STANDARD", code(20, "VAT code; its rate is in the settings.")),
    standardCost: optional(unitPrice("Cost per pricing unit; null when not known.")),
    weightKg: optional(quantity("Weight of a selling unit in kilograms; null when not known.")),
    state: otherwise(
      "active",
      choice(["active", "blocked", "discontinued"], "Only active products can be ordered."),
    ),
    soldOnWeb: flag(true, "False: never shown in or ordered from the web shop."),
    leastQuantity: optional(quantity("Least quantity of an order line; null: no minimum.")),
    multipleQuantity: optional(quantity("Order quantities are multiples of it; null: any.")),
    replacedBy: optional(code(60, "Product that replaces it: offered, never swapped; null: none.")),
  },
});

export const productUnit = defineRecord({
  name: "product-unit",
  about: "A further unit that a product is sold in, such as a box beside single pieces.",
  key: ["product", "unit"],
  fields: {
    product: code(60, "Product code."),
    unit: code(20, "Unit that a line can be in."),
    sellingUnits: quantity("Selling units in one of it."),
  },
  sense: [{ kind: "bounds", field: "sellingUnits", least: 0 }],
});

export const assortment = defineRecord({
  name: "assortment",
  about:
    "Which products who may see and order. What is said to the account counts before what is said to its group, and that before what is said to all; in each, of a product before of its group and of all products. Where nothing is said a product is shown.",
  key: ["customers", "customerCode", "products", "productCode"],
  fields: {
    customers: otherwise(
      "all",
      choice(["all", "customer-group", "account"], "Whose customerCode it is."),
    ),
    customerCode: otherwise("*", code(40, "Account or customer group; * where customers is all.")),
    products: otherwise(
      "all",
      choice(["all", "product-group", "product"], "Whose productCode it is."),
    ),
    productCode: otherwise(
      "*",
      code(60, "Product, or product group with all below it; * where products is all."),
    ),
    visibility: otherwise(
      "shown",
      choice(["shown", "hidden"], "shown: they may see and order it; hidden: they may not."),
    ),
  },
});

export const stock = defineRecord({
  name: "stock",
  about: "Stock of a product at a branch.",
  key: ["product", "branch"],
  fields: {
    product: code(60, "Product code."),
    branch: code(40, "Branch (warehouse)."),
    onHandQuantity: quantity("Selling units in the branch."),
    allocatedQuantity: otherwise("0", quantity("Of these, promised to orders.")),
    onOrderQuantity: otherwise("0", quantity("Selling units on purchase orders.")),
    nextDueOn: optional(date("When the next purchase order is due; null: none.")),
    countedAt: optional(instant("Moment that the figures are of; null: when they were read.")),
  },
});
