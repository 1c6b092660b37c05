/** `price certify`: a policy tried on what the ERP charged, and signed for. */
import type { Command } from "commander";
import { certificateText, type SignedCertificate } from "../parity/index.ts";
import {
  answer,
  connectionOf,
  dateOption,
  example,
  EXIT,
  inOrder,
  nextLines,
  NotFound,
  person,
  UsageError,
  wholeNumber,
  type Answer,
  type Opened,
} from "./command.ts";
import { count, moment, table } from "./print.ts";

interface CertifyOptions {
  readonly lines: number;
  readonly seed: number;
  readonly from?: string;
  readonly to?: string;
  readonly enquire?: boolean;
  readonly connection?: string;
  readonly list?: boolean;
  readonly show?: string;
  readonly sign?: string;
  readonly who?: string;
  readonly why?: string;
}

export function addCertifyCommand(price: Command): void {
  price
    .command("certify")
    .description("Try the policy, and each of its switches, on what the ERP charged.")
    .option("--lines <lines>", "lines wanted", wholeNumber(1, 50_000), 2_000)
    .option(
      "--seed <number>",
      "draws the sample; the same one, the same sample",
      wholeNumber(0, 2 ** 31),
      1,
    )
    .option("--from <date>", "first day of the documents; a year ago when absent", dateOption)
    .option("--to <date>", "last day of the documents; today when absent", dateOption)
    .option("--enquire", "ask the ERP itself for its prices of today, where it can be asked")
    .option("--connection <name>", "the connection to ask; without it the only one, or erp")
    .option("--list", "certificates made before")
    .option("--show <id>", "one of these, as it was printed")
    .option("--sign <id>", "sign it: --who and --why are kept with it")
    .option("--who <name>", "who signs", person("--who"))
    .option("--why <reason>", "why, kept with the signature")
    .addHelpText("after", example("price certify --lines 5000 --seed 7"))
    .action(async (options: CertifyOptions, command: Command) => {
      inOrder(options);
      await answer(command, (opened) => certifyAnswer(opened, options));
    });
}

async function certifyAnswer(opened: Opened, options: CertifyOptions): Promise<Answer> {
  if (options.list === true) return certificateList(opened);
  if (options.show !== undefined)
    return certificateAnswer(opened, await find(opened, options.show));
  if (options.sign !== undefined) return signAnswer(opened, options);
  const { company } = opened;
  await company.pricing.refresh();
  if (company.pricing.book() === null) await company.pricing.publish();
  const certificate =
    options.enquire === true
      ? await certifyByEnquiry(opened, options)
      : await company.proof.certify(drawing(opened, options));
  return certificateAnswer(opened, {
    certificate,
    signedBy: null,
    signedAt: null,
    signedWhy: null,
  });
}

function drawing({ company }: Opened, { lines, seed, from, to }: CertifyOptions) {
  const today = company.proof.today();
  const first = Temporal.PlainDate.from(today).subtract({ years: 1 }).toString();
  return { lines, seed, from: from ?? first, to: to ?? today };
}

async function certifyByEnquiry(opened: Opened, options: CertifyOptions) {
  const { company } = opened;
  const name = connectionOf(opened, options.connection);
  await using enquirer = await company.proof.enquirer(name);
  if (enquirer === null)
    throw new NotFound(
      `The connection ${name} cannot be asked for prices. Leave --enquire out: then documents are the proof.`,
    );
  return await company.proof.certify({ ...drawing(opened, options), enquire: enquirer.ask });
}

async function find({ company }: Opened, id: string): Promise<SignedCertificate> {
  const all = await company.proof.certifications();
  const found = all.find(({ certificate }) => certificate.id === id);
  if (found !== undefined) return found;
  throw new NotFound(`There is no certificate ${id}. \`price certify --list\` names them.`);
}

/** Exit 4 unless it is certified. */
function certificateAnswer({ company, global }: Opened, signed: SignedCertificate): Answer {
  const { certificate } = signed;
  const next =
    signed.signedBy === null
      ? ["", ...nextLines(global, [`price certify --sign ${certificate.id} --who NAME --why WHY`])]
      : [];
  return {
    text: [...certificateText(signed, company.settings.timeZone), ...next].join("\n"),
    data: signed,
    exit: certificate.verdict === "certified" ? EXIT.fine : EXIT.differ,
  };
}

async function certificateList({ company }: Opened): Promise<Answer> {
  const all = await company.proof.certifications();
  const { timeZone } = company.settings;
  const text =
    all.length === 0
      ? "No certificate was made yet: `price certify` makes one."
      : table(all, [
          { head: "certificate", of: ({ certificate }) => certificate.id },
          {
            head: "made",
            of: ({ certificate }) => moment(Temporal.Instant.from(certificate.madeAt), timeZone),
          },
          { head: "policy", of: ({ certificate }) => certificate.policy },
          { head: "lines", right: true, of: ({ certificate }) => count(certificate.sample.lines) },
          { head: "fit", right: true, of: ({ certificate }) => `${certificate.percent}%` },
          { head: "verdict", of: ({ certificate }) => certificate.verdict },
          { head: "signed by", of: ({ signedBy }) => signedBy ?? "–" },
        ]);
  return { text, data: all };
}

async function signAnswer(
  opened: Opened,
  { sign = "", who, why }: CertifyOptions,
): Promise<Answer> {
  if (who === undefined || who.trim() === "" || why === undefined || why.trim() === "")
    throw new UsageError("Signing needs --who and --why; both are kept with the certificate.");
  const signed = await opened.company.proof.sign({ id: sign, who: who.trim(), why: why.trim() });
  if (signed !== null) return { ...certificateAnswer(opened, signed), exit: EXIT.fine };
  const { signedBy } = await find(opened, sign);
  throw new NotFound(`The certificate ${sign} is signed already, by ${signedBy ?? "somebody"}.`);
}
