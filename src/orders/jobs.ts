/** The jobs of web orders, by their names and data. */

/** Brings one order as far as it can get now; its data is `{ company, order }`. */
export const DELIVER_JOB = "orders.deliver";

export function jobData(company: string, order: string): { company: string; order: string } {
  return { company, order };
}
