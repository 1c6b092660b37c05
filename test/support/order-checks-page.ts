/** The table of an order's checks in src/orders/README.md: from the code, with its policies. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { orderChecks } from "../../src/config/order-checks.ts";
import { CHECKS, type CheckName } from "../../src/orders/checks/list.ts";
import type { Generator } from "./generate.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = "src/orders/README.md";
const TABLE = /<!-- checks of an order -->[\s\S]*?<!-- end of the checks -->/;

export const orderChecksPage: readonly Generator[] = [
  {
    file: PAGE,
    content: async () => {
      const page = await readFile(join(ROOT, PAGE), "utf8");
      return page.replace(
        TABLE,
        () => `<!-- checks of an order -->\n\n${table()}\n\n<!-- end of the checks -->`,
      );
    },
  },
];

function table(): string {
  const policies = orderChecks.parse(undefined);
  const rows = Object.entries(CHECKS).flatMap(([check, codes]) =>
    Object.entries(codes).map(([code, about], index) => {
      const name = check as CheckName;
      const [shown, policy] = index === 0 ? [`\`${name}\``, policies[name]] : ["", ""];
      return `| ${shown} | ${policy} | \`${code}\` | ${about} |`;
    }),
  );
  return [
    "| check | unless set | code | what is found |",
    "| --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}
