/**
 * In SQL and here: names under which parts of Tradepost, the ERP and the keys of shops stand in
 * books, beside those of persons.
 */
export const OWN_NAME = "^(tradepost|erp|sales|shop|key [^ ]+)$";

/** No person signs so: what they decided would count as nobody's decision. */
export function isOwnName(name: string): boolean {
  return new RegExp(OWN_NAME, "i").test(name.trim());
}
