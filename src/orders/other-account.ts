/** What is said of an order that is another account's in the ERP: accounts, or SQL that is one. */
export const otherAccount = {
  held: (there: string, ours: string): string =>
    `The ERP holds it for account ${there}, it was ordered by ${ours}.`,
  invoiced: (there: string, ours: string): string =>
    `The ERP invoiced it to account ${there}, it was ordered by ${ours}.`,
} as const;
