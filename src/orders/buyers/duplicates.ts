/**
 * Which accounts may be the customer who asks for one: scored by what is the same, with the
 * reasons. It suggests and never decides. Pure but for the candidates' query.
 */
import type { Queryable } from "../../store/index.ts";
import type { AccountRequestBody, Duplicate } from "./account-request.ts";

/** What a customer is compared by. */
export interface Known {
  readonly account: string;
  readonly name: string;
  readonly email: string | null;
  readonly telephone: string | null;
  readonly postcode: string | null;
  readonly vatNumber: string | null;
  readonly state: string;
}

/** From this score on an account is suggested. */
const LEAST = 40;
const MOST_SUGGESTED = 10;

/** Likeliest first. */
export function duplicatesAmong(
  request: AccountRequestBody,
  customers: readonly Known[],
  from: Duplicate["from"] = "records",
): Duplicate[] {
  return customers
    .map((known) => {
      const found = sameOf(request, known);
      const score = Math.min(
        100,
        found.reduce((sum, [points]) => sum + points, 0),
      );
      const reasons = found.map(([, reason]) => reason);
      if (known.state === "closed") reasons.push("the account is closed");
      return { account: known.account, name: known.name, score, reasons, from };
    })
    .filter(({ score }) => score >= LEAST)
    .sort((left, right) => right.score - left.score || (left.account < right.account ? -1 : 1))
    .slice(0, MOST_SUGGESTED);
}

type Same = readonly [points: number, reason: string];

function sameOf(request: AccountRequestBody, known: Known): Same[] {
  const { contact, address } = request;
  const found: Same[] = [];
  const say = (isSame: boolean, points: number, reason: string): void => {
    if (isSame) found.push([points, reason]);
  };
  say(same(vatFolded(request.vatNumber), vatFolded(known.vatNumber)), 100, "same VAT number");
  const email = known.email?.toLowerCase() ?? null;
  const sameEmail = same(contact.email.toLowerCase(), email);
  say(sameEmail, 60, "same e-mail");
  const domain = ownDomain(contact.email);
  say(!sameEmail && same(domain, ownDomain(known.email)), 40, "same e-mail domain");
  say(same(phoneFolded(contact.telephone), phoneFolded(known.telephone)), 50, "same telephone");
  const names = [request.tradingName, request.legalName].map(nameFolded);
  const theirs = nameFolded(known.name);
  const sameName = names.some((name) => same(name, theirs));
  say(sameName, 50, "same name");
  say(!sameName && names.some((name) => begins(name, theirs)), 25, "name begins the same");
  say(same(codeFolded(address.postcode), codeFolded(known.postcode)), 25, "same postcode");
  return found;
}

function same(left: string | null, right: string | null): boolean {
  return left !== null && left !== "" && left === right;
}

const LEAST_BEGINNING = 6;

function begins(left: string | null, right: string | null): boolean {
  if (left === null || right === null) return false;
  const [short, long] = left.length <= right.length ? [left, right] : [right, left];
  return short.length >= LEAST_BEGINNING && long.startsWith(short);
}

const LEGAL_WORDS = /\b(?:limited|ltd|plc|llp|company|co|and|the|sons?|brothers|bros|uk|t a)\b/g;

/** "A. Smith & Sons (Leeds) Ltd." → "asmithleeds" */
export function nameFolded(name: string | null): string | null {
  if (name === null) return null;
  return name
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, " ")
    .replaceAll(LEGAL_WORDS, "")
    .replaceAll(" ", "");
}

function codeFolded(text: string | null): string | null {
  return text === null ? null : text.toUpperCase().replaceAll(/[^A-Z0-9]/g, "");
}

/** GB 123 4567 89 and 123456789 are one number. */
function vatFolded(text: string | null): string | null {
  return codeFolded(text)?.replace(/^GB(?=\d)/, "") ?? null;
}

const NATIONAL_DIGITS = 9;

/** +44 (0)113 496 0000 and 0113 496 0000 are one number. */
function phoneFolded(text: string | null): string | null {
  const digits = text?.replaceAll(/\D/g, "") ?? "";
  return digits.length < NATIONAL_DIGITS ? null : digits.slice(-NATIONAL_DIGITS);
}

/** Providers whose addresses anybody has. */
const EVERYBODYS = new Set(
  "gmail.com googlemail.com hotmail.com hotmail.co.uk outlook.com live.co.uk live.com yahoo.com yahoo.co.uk icloud.com me.com aol.com btinternet.com btconnect.com sky.com talktalk.net virginmedia.com protonmail.com".split(
    " ",
  ),
);

function ownDomain(email: string | null): string | null {
  const domain = email?.toLowerCase().split("@")[1] ?? null;
  return domain === null || EVERYBODYS.has(domain) ? null : domain;
}

/** Everybody of whom anything may be the same; what it means is decided above. */
export async function candidatesFor(
  on: Queryable,
  company: string,
  request: AccountRequestBody,
): Promise<Known[]> {
  const digits = (column: string) => `regexp_replace(c.${column}, '\\D', '', 'g')`;
  const [firstWord = ""] = request.tradingName.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  const [legalWord = ""] = (request.legalName ?? "").toLowerCase().split(/[^\p{L}\p{N}]+/u);
  return on.query<Known>(
    `select c.account, c.name, c.email, c.telephone, c.postcode,
            coalesce(c.vat_number, e.vat_number) as "vatNumber", c.state
       from customer c
       left join trading_entity e on e.company = c.company and e.trading_entity = c.trading_entity
      where c.company = $1 and not c.cash_account
        and (upper(replace(c.postcode, ' ', '')) = $2
             or split_part(lower(c.email), '@', 2) = $3
             or right(${digits("telephone")}, ${NATIONAL_DIGITS}) = $4
             or regexp_replace(upper(coalesce(c.vat_number, e.vat_number)), '^GB|[^A-Z0-9]', '', 'g') = $5
             or ($6 <> '' and starts_with(lower(c.name), $6))
             or ($7 <> '' and starts_with(lower(c.name), $7)))
      order by c.account limit 5000`,
    [
      company,
      codeFolded(request.address.postcode),
      request.contact.email.toLowerCase().split("@")[1],
      phoneFolded(request.contact.telephone),
      vatFolded(request.vatNumber),
      firstWord,
      legalWord,
    ],
  );
}
