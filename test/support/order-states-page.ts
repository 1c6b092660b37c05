/** The states of a delivery in src/orders/README.md: diagram and tables, from the code. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DELIVERY_ABOUT, TRANSITIONS, type Mover } from "../../src/orders/machine.ts";
import type { Generator } from "./generate.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = "src/orders/README.md";
const PART = /<!-- states of a delivery -->[\s\S]*?<!-- end of the states -->/;

export const orderStatesPage: readonly Generator[] = [
  {
    file: PAGE,
    content: async () => {
      const page = await readFile(join(ROOT, PAGE), "utf8");
      const parts = [diagram(), states(), moves()].join("\n\n");
      return page.replace(
        PART,
        () => `<!-- states of a delivery -->\n\n${parts}\n\n<!-- end of the states -->`,
      );
    },
  },
];

function diagram(): string {
  const arrows = new Map<string, string[]>();
  for (const { from, event, to } of TRANSITIONS) {
    const arrow = `${from} --> ${to}`;
    arrows.set(arrow, [...(arrows.get(arrow) ?? []), event]);
  }
  const lines = [...arrows].map(([arrow, events]) => `    ${arrow}: ${events.join(", ")}`);
  return ["```mermaid", "stateDiagram-v2", "    [*] --> received", ...lines, "```"].join("\n");
}

function states(): string {
  const rows = Object.entries(DELIVERY_ABOUT).map(
    ([state, about]) => `| \`${state}\` | ${about} |`,
  );
  return ["| state | means |", "| --- | --- |", ...rows].join("\n");
}

const MOVERS: Readonly<Record<Mover, string>> = {
  tradepost: "Tradepost",
  sender: "the lease's holder",
  erp: "what was pulled",
  person: "a person",
};

function moves(): string {
  let last = "";
  const rows = TRANSITIONS.map(({ from, event, to, by, about }) => {
    const shown = from === last ? "" : `\`${from}\``;
    last = from;
    const who = by.map((mover) => MOVERS[mover]).join(", ");
    return `| ${shown} | \`${event}\` | \`${to}\` | ${who} | ${about} |`;
  });
  return ["| from | event | to | who | when |", "| --- | --- | --- | --- | --- |", ...rows].join(
    "\n",
  );
}
