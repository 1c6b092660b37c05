/** A certificate as it is printed, signed and filed. */
import type { Certificate, SignedCertificate, SwitchTried } from "./certify.ts";
import { dateText } from "./words.ts";

/** `zone`: IANA time zone of the moments in it. */
export function certificateText(signed: SignedCertificate, zone: string): readonly string[] {
  const { certificate } = signed;
  return [
    `Price certificate ${certificate.id}`,
    "",
    ...headLines(certificate, zone),
    "",
    ...groupLines(certificate),
    ...vatLines(certificate),
    ...bestLines(certificate),
    `Verdict: ${certificate.verdict.toUpperCase()}`,
    `${certificate.because}.`,
    "",
    ...signatureLines(signed, zone),
    `Digest (SHA-256 of the certificate): ${certificate.sha256}`,
  ];
}

function headLines(certificate: Certificate, zone: string): string[] {
  const { sample, fits, percent, explained, switchesTried } = certificate;
  const what =
    sample.source === "documents"
      ? `${sample.lines} goods lines of ${sample.documents} invoices and credit notes, ${dateText(sample.from)} to ${dateText(sample.to)}`
      : `${sample.lines} prices that the ERP itself answered`;
  return [
    `company    ${certificate.company}`,
    `made       ${momentText(certificate.madeAt, zone)}`,
    `policy     ${certificate.policy}, version ${certificate.policyVersion}`,
    `sample     ${what}, drawn with seed ${sample.seed}`,
    `fit        ${fits} of ${sample.lines} at our price (${percent}%), ${switchesTried} switches tried`,
    ...explained.map(({ reason, lines }) => `explained  ${lines}: ${reason}`),
    ...sample.unpriced.map(({ reason, lines }) => `no price   ${lines}: ${reason}`),
  ];
}

function momentText(iso: string, zone: string): string {
  const at = Temporal.Instant.from(iso).toZonedDateTimeISO(zone);
  const time = at.toPlainTime().toString({ smallestUnit: "minute" });
  return `${dateText(at.toPlainDate().toString())} ${time}`;
}

function switchText({ switch: name, is, tried }: SwitchTried): string {
  return `${name}: ${tried} in place of ${is}`;
}

/** "-0.84" → "-£0.84" */
function moneyOf(difference: string): string {
  return difference.startsWith("-") ? `-£${difference.slice(1)}` : `£${difference}`;
}

function groupLines({ groups }: Certificate): string[] {
  if (groups.length === 0) return ["No line is left without a reason.", ""];
  return [
    "Lines that do not fit, by the smallest switch that would explain them:",
    ...groups.flatMap(({ by, lines, difference, examples }) => [
      `  ${lines === 1 ? "1 line" : `${lines} lines`}, ${moneyOf(difference)}: ${by === null ? "no single switch explains them" : `${switchText(by)} (it would break ${by.loses})`}`,
      ...examples.map(
        ({ document, line, account, product, quantity, charged, ours }) =>
          `    ${document} line ${line}: ${account}, ${quantity.replace(/\.?0+$/, "")} of ${product}, charged £${charged}, ours ${ours === null ? "none" : `£${ours}`}`,
      ),
    ]),
    "",
  ];
}

function vatLines({ vat }: Certificate): string[] {
  if (vat.documents === 0) return [];
  return [
    `VAT of ${vat.fits} of ${vat.documents} documents is what the policy works out.`,
    ...vat.better.map(
      (better) => `  with ${better.switch}: ${better.tried} it would be ${better.fits}`,
    ),
    "",
  ];
}

function bestLines({ best, bestFits, bestPercent }: Certificate): string[] {
  if (best.length === 0) return ["No other setting of the policy fits this history better.", ""];
  return [
    `The setting that fits best (${bestFits} lines, ${bestPercent}%):`,
    ...best.map((each) => `  ${switchText(each)}: ${each.gains} more fit, ${each.loses} fewer`),
    "",
  ];
}

function signatureLines(
  { signedBy, signedAt, signedWhy }: SignedCertificate,
  zone: string,
): string[] {
  if (signedBy === null || signedAt === null)
    return ["Signed by ______________________________   on ____________", ""];
  return [
    `Signed by ${signedBy} on ${momentText(signedAt.toString(), zone)}: ${signedWhy ?? ""}`,
    "",
  ];
}
