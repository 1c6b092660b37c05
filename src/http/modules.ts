/** What the API needs of the modules behind it, and no more. */
import type { Access } from "../access/index.ts";
import type { Orders } from "../orders/index.ts";
import type { Pricing } from "../pricing/index.ts";
import type { Incentives } from "../incentives/index.ts";
import type { Sales } from "../sales/index.ts";
import type { QuarantineDesk, listRuns } from "../sync/index.ts";

/** One company's modules, opened. */
export interface CompanyServices {
  readonly pricing: Pick<Pricing, "price" | "priceColumns" | "explain">;
  readonly orders: Pick<Orders, "accept" | "check" | "show">;
  readonly sales: Pick<Sales, "totals" | "reconcile" | "trace">;
  readonly incentives: Pick<Incentives, "statement" | "compare">;
  readonly sync: {
    runs(filter: { stream?: string; limit: number }): ReturnType<typeof listRuns>;
    readonly quarantine: Pick<QuarantineDesk, "list" | "totals">;
  };
}

export interface Readiness {
  /** "database", "prices of HARROW". */
  readonly name: string;
  readonly ready: boolean;
  /** What is missing; "" when ready. */
  readonly about: string;
}

export interface HttpServices {
  readonly access: Pick<Access, "verify">;
  /** Undefined when the settings do not name it. */
  company(code: string): CompanyServices | undefined | Promise<CompanyServices | undefined>;
  ready(): Promise<readonly Readiness[]>;
  log(
    level: "info" | "warn" | "error",
    message: string,
    facts?: Readonly<Record<string, string | number | boolean | null>>,
  ): void;
}
