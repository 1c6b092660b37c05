/** Where and when: site, address, country, the day wanted, the day of the order. Pure. */
import type { Checking } from "../checks.ts";
import { dayText } from "../words.ts";

export function checkDelivery(checking: Checking): void {
  checkSite(checking);
  checkBranch(checking);
  checkAddress(checking);
  checkCountry(checking);
  checkRequested(checking);
  checkDate(checking);
}

function checkSite({ request, facts: { site }, note }: Checking): void {
  const named = request.site ?? "";
  if (site === null || site?.state === "closed")
    note({
      check: "site",
      code: site === null ? "site-unknown" : "site-closed",
      found: named,
      expected: `an open site of account ${request.account}`,
      about: `Site ${named} is ${site === null ? "not known" : "closed"}.`,
      instruction: "Choose another site, or add it to the account in the ERP.",
    });
  if (request.site === null || request.deliverTo === null) return;
  note({
    check: "site",
    code: "site-and-address",
    found: `site ${named}, and an address in deliverTo`,
    expected: "one of them",
    about: `The order goes to site ${named} and to ${request.deliverTo.name}: only one can be meant.`,
    instruction: "Leave site out, or deliverTo.",
  });
}

function checkBranch({ request: { branch }, facts: { surroundings }, note }: Checking): void {
  const branches = surroundings?.branches ?? null;
  if (branch === null || branches === null || branches.has(branch)) return;
  note({
    check: "branch",
    code: "branch-unknown",
    found: branch,
    expected: "a branch of the ERP",
    about: `Branch ${branch} is not known.`,
    instruction: "Send the branch that fulfils as the ERP names it, or leave branch out.",
  });
}

/** Countries in which an address is whole without a postcode. */
const WITHOUT_POSTCODE = ["AE", "BS", "HK", "IE", "JM", "QA"];
const BRITISH = /^(?:GIR ?0AA|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})$/i;

function checkAddress({ request: { deliverTo }, note }: Checking): void {
  if (deliverTo === null) return;
  const { country, name } = deliverTo;
  const postcode = deliverTo.postcode?.trim() ?? "";
  if (postcode === "" && !WITHOUT_POSTCODE.includes(country))
    note({
      check: "delivery",
      code: "postcode-missing",
      found: "no postcode",
      expected: `a postcode of ${country}`,
      about: `The address of ${name} has no postcode, and no carrier takes it without one.`,
      instruction: "Ask the buyer for the postcode and send it in deliverTo.",
    });
  if (postcode !== "" && country === "GB" && !BRITISH.test(postcode))
    note({
      check: "delivery",
      code: "postcode-not-valid",
      found: postcode,
      expected: "a British postcode such as LS9 8AB",
      about: `"${postcode}" is no British postcode.`,
      instruction: "Ask the buyer for the postcode, or send the country that it is of.",
    });
}

/** VAT goes by where the goods go; prices were asked for the site, or for the account's country. */
function checkCountry({ request, facts: { site, customer }, settings, note }: Checking): void {
  const home = settings.country ?? "GB";
  const reckoned = site?.country ?? customer?.country ?? home;
  const { deliverTo } = request;
  if (deliverTo === null || deliverTo.country === reckoned) return;
  note({
    check: "country",
    code: "country-differs",
    found: deliverTo.country,
    expected: reckoned,
    about:
      `The goods go to ${deliverTo.country}, and VAT was worked out for ${reckoned}: ` +
      "which VAT is due there, and on what evidence, a person has to say.",
    instruction:
      "Add the address as a site of the account, or decide the VAT and release the order.",
  });
}

function checkRequested({ request: { requestedOn }, settings, today, note }: Checking): void {
  if (requestedOn === null) return;
  if (requestedOn < today)
    return note({
      check: "requested",
      code: "requested-in-past",
      found: requestedOn,
      expected: `${today} or later`,
      about: `Delivery is wanted on ${dayText(requestedOn)}, and today is ${dayText(today)}.`,
      instruction: "Choose a day that is still to come, or leave requestedOn out.",
    });
  const next = nextOpenDay(requestedOn, settings.deliveryDays);
  if (next === requestedOn) return;
  note({
    check: "requested",
    code: "requested-on-closed-day",
    found: requestedOn,
    expected: next === null ? "a day with deliveries" : `${next}, or another day with deliveries`,
    about:
      `Nothing is delivered on ${dayText(requestedOn)}` +
      `${next === null ? "" : `; the next day with deliveries is ${dayText(next)}`}.`,
    instruction: "Choose another day, or leave requestedOn out.",
  });
}

const WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

function nextOpenDay(wanted: string, days: Checking["settings"]["deliveryDays"]): string | null {
  if (days === undefined) return wanted;
  for (let after = 0; after < 366; after += 1) {
    const day = Temporal.PlainDate.from(wanted).add({ days: after });
    const weekday = WEEKDAYS[day.dayOfWeek - 1] ?? "";
    if (days.weekdays.includes(weekday) && !days.closed.includes(day.toString()))
      return day.toString();
  }
  return null;
}

/** A date to come, or one of long ago, is a slip, or prices of another time are wanted. */
function checkDate({ request: { orderedOn }, settings, today, note }: Checking): void {
  if (orderedOn === undefined) return;
  const now = Temporal.PlainDate.from(today);
  const oldest = now.subtract({ days: settings.oldestDays ?? OLDEST_DAYS }).toString();
  if (orderedOn >= oldest && orderedOn <= today) return;
  note({
    check: "date",
    code: orderedOn < oldest ? "ordered-long-ago" : "ordered-in-future",
    found: orderedOn,
    expected: `${oldest} to ${today}`,
    about: `The order is dated ${dayText(orderedOn)}, and today is ${dayText(today)}.`,
    instruction: "Mend the date, or leave it out: then it is today.",
  });
}

const OLDEST_DAYS = 31;
