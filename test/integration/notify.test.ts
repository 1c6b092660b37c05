/** Alarms on a real database, told to a real HTTP receiver and a real mail server of the test's. */
import { execFileSync } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { expect, onTestFinished, test, vi } from "vitest";
import { openJobs } from "../../src/jobs/index.ts";
import { openAlarms, TELL_JOB } from "../../src/notify/index.ts";
import type { Alarms, AlarmSettings } from "../../src/notify/index.ts";
import { useDatabase } from "../support/database.ts";
import { startMailServer } from "../support/mail-server.ts";

const database = useDatabase();

const LATE = {
  key: "late/erp/price-rules",
  level: "error",
  title: "Price rules of erp are late",
  detail: "They were read with success at 30/03/2026 06:15 last, and are promised every 26h.",
  instruction: "Look at the export of the ERP.",
} as const;

interface Desk {
  readonly alarms: Alarms;
  readonly logged: string[];
  pass(hours: number): void;
  /** Letters that wait, by channel and occasion. */
  waiting(): Promise<readonly string[]>;
}

let companies = 0;

async function openDesk(
  settings: Partial<AlarmSettings>,
  secrets: Readonly<Record<string, string>> = { alarms_email: "hush-hush" },
): Promise<Desk> {
  companies += 1;
  const company = `N${companies}`;
  const logged: string[] = [];
  const jobs = await openJobs(database.store, {
    log: () => undefined,
    retries: { limit: 20, delayMaxSeconds: 1 },
  });
  onTestFinished(() => jobs.close());
  let now = Temporal.Instant.from("2026-03-31T07:15:00Z");
  const alarms = openAlarms({
    store: database.store,
    jobs,
    company,
    timeZone: "Europe/London",
    settings: { repeatSeconds: 86_400, ...settings },
    secret: (name) => secrets[name] ?? null,
    now: () => now,
    log: (level, message) => void logged.push(`${level} ${message}`),
  });
  await jobs.work<{ company: string; channel: string }>(TELL_JOB, async (data) => {
    if (data.company === company) await alarms.tell(data.channel);
  });
  return {
    alarms,
    logged,
    pass: (hours) => {
      now = now.add({ hours });
    },
    waiting: async () => {
      const rows = await database.store.query<{ told: string }>(
        `select channel || ' ' || occasion as told from alarm_telling
          where company = $1 and state = 'waiting' order by 1`,
        [company],
      );
      return rows.map(({ told }) => told);
    },
  };
}

interface Hook {
  readonly url: string;
  readonly got: { readonly path: string; readonly authorization: string; readonly body: Body }[];
  answer: (response: ServerResponse, count: number) => void;
}

interface Body {
  readonly id: string;
  readonly occasion: string;
  readonly text: string;
  readonly alarm: { readonly key: string; readonly since: string; readonly overAt: string | null };
}

/** A receiver that takes everything until a test wants otherwise. */
async function startHook(): Promise<Hook> {
  const got: Hook["got"] = [];
  let count = 0;
  const server = createServer((request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      count += 1;
      hook.answer(response, count);
      if (response.statusCode !== 200) return;
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Body;
      const { authorization = "" } = request.headers;
      got.push({ path: request.url ?? "", authorization, body });
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const hook: Hook = {
    url: `http://shop:let-me-in@127.0.0.1:${port}/hooks/T0PSECRET`,
    got,
    answer: (response) => response.end(),
  };
  return hook;
}

test("an alarm that holds is told once to the log and the webhook, again after a while, and once when it is over", async () => {
  const hook = await startHook();
  const desk = await openDesk({ webhook: { url: hook.url } });
  const occasions = () => hook.got.map(({ body }) => body.occasion);
  await desk.alarms.raise(LATE);
  await desk.alarms.raise({ ...LATE, detail: "Said in other words." });
  await vi.waitFor(() => expect(occasions()).toEqual(["raised"]), 5_000);
  await desk.alarms.remind();
  desk.pass(24);
  await desk.alarms.remind();
  await desk.alarms.remind();
  await vi.waitFor(() => expect(occasions()).toEqual(["raised", "again"]), 5_000);
  desk.pass(1);
  await desk.alarms.clear(LATE.key);
  await desk.alarms.clear(LATE.key);
  await vi.waitFor(() => expect(occasions()).toEqual(["raised", "again", "over"]), 5_000);
  expect(new Set(hook.got.map(({ body }) => body.id)).size).toBe(3);
  expect(hook.got[0]).toMatchObject({
    path: "/hooks/T0PSECRET",
    authorization: `Basic ${btoa("shop:let-me-in")}`,
  });
  expect(hook.got[2]?.body.alarm).toMatchObject({
    key: LATE.key,
    since: "2026-03-31T07:15:00Z",
    overAt: "2026-04-01T08:15:00Z",
  });
  expect(desk.logged.map((line) => line.split("\n")[0])).toMatchInlineSnapshot(`
    [
      "error [Tradepost N1] Alarm: Price rules of erp are late",
      "error [Tradepost N1] Still: Price rules of erp are late",
      "info [Tradepost N1] Over: Price rules of erp are late",
    ]
  `);
  expect(hook.got[1]?.body.text).toMatchInlineSnapshot(`
    "[Tradepost N1] Still: Price rules of erp are late

    Said in other words.

    Since: 31/03/2026 08:15
    Do:    Look at the export of the ERP."
  `);
  expect(hook.got[2]?.body.text).toMatchInlineSnapshot(`
    "[Tradepost N1] Over: Price rules of erp are late

    Since: 31/03/2026 08:15
    Over:  01/04/2026 09:15"
  `);
  expect(await desk.alarms.list({ open: true })).toEqual([]);
  expect(await desk.alarms.list()).toMatchObject([{ key: LATE.key, untold: [] }]);
});

test("a webhook that fails at first is told later, and nothing waits for it", async () => {
  const hook = await startHook();
  hook.answer = (response, count) => {
    if (count === 1) response.socket?.destroy();
    else response.writeHead(count === 2 ? 503 : 200).end();
  };
  const desk = await openDesk({ webhook: { url: hook.url } });
  const began = performance.now();
  await desk.alarms.raise(LATE);
  expect(performance.now() - began).toBeLessThan(2_000);
  await vi.waitFor(() => expect(hook.got.length).toBe(1), 10_000);
  expect(hook.got[0]?.body.occasion).toBe("raised");
  await vi.waitFor(async () => expect(await desk.waiting()).toEqual([]), 5_000);
});

test("a webhook is not followed to where it redirects, and its address is never shown", async () => {
  const hook = await startHook();
  hook.answer = (response) => response.writeHead(302, { location: "/elsewhere" }).end();
  const desk = await openDesk({ webhook: { url: hook.url } });
  await desk.alarms.raise(LATE);
  await vi.waitFor(async () => {
    const [alarm] = await desk.alarms.list();
    expect(alarm?.untold).toEqual([
      {
        channel: "webhook",
        problem: expect.stringMatching(
          /^127\.0\.0\.1:\d+ answered 302, and redirects are not followed$/,
        ) as string,
      },
    ]);
  }, 5_000);
  expect(hook.got).toEqual([]);
  const [, tried] = await desk.alarms.test("J Ross");
  expect(JSON.stringify([tried, desk.logged])).not.toMatch(/T0PSECRET|let-me-in/);
});

test("a webhook's address can be a secret; one that is not set is told and tried again", async () => {
  const hook = await startHook();
  const desk = await openDesk({ webhook: { urlSecret: "teams" } }, { teams: hook.url });
  expect(await desk.alarms.test("J Ross")).toMatchObject([
    { channel: "log" },
    { channel: "webhook", to: new URL(hook.url).host, problem: null },
  ]);
  expect(hook.got.map(({ path }) => path)).toEqual(["/hooks/T0PSECRET"]);
  const unset = await openDesk({ webhook: { urlSecret: "teams" } }, {});
  expect((await unset.alarms.test("J Ross"))[1]).toEqual({
    channel: "webhook",
    to: "–",
    problem: "the webhook has no address: set TRADEPOST_SECRET_TEAMS",
  });
});

test("an alarm raised in a transaction that fails was never raised", async () => {
  const hook = await startHook();
  const desk = await openDesk({ webhook: { url: hook.url } });
  const failing = database.store.transaction(async (tx) => {
    await desk.alarms.raise(LATE, tx);
    throw new Error("on purpose");
  });
  await expect(failing).rejects.toThrow("on purpose");
  expect([await desk.alarms.list(), await desk.waiting(), desk.logged]).toEqual([[], [], []]);
});

test("two that raise the same alarm at once raise one", async () => {
  const desk = await openDesk({});
  await Promise.all([1, 2, 3, 4].map(() => desk.alarms.raise(LATE)));
  expect((await desk.alarms.list()).length).toBe(1);
  expect(desk.logged.length).toBe(1);
});

test("a warning that becomes an error is told at once", async () => {
  const desk = await openDesk({});
  await desk.alarms.raise({ ...LATE, level: "warning" });
  await desk.alarms.raise(LATE);
  expect(desk.logged.map((line) => line.split("\n")[0])).toEqual([
    expect.stringMatching(/^warn .*Warning: Price rules of erp are late$/) as string,
    expect.stringMatching(/^error .*Alarm: Price rules of erp are late$/) as string,
  ]);
});

const MAIL = {
  server: "127.0.0.1",
  from: "tradepost@harrow.example",
  to: ["it@harrow.example", "finance@harrow.example"],
};

test("an e-mail that the server does not take at first is sent later", async () => {
  await using server = await startMailServer();
  server.refuse(1);
  const desk = await openDesk({ email: { ...MAIL, port: server.port, security: "none" } });
  await desk.alarms.raise(LATE);
  await vi.waitFor(() => expect(server.mails.length).toBe(1), 15_000);
  const [mail] = server.mails;
  expect(mail).toMatchObject({ from: MAIL.from, to: MAIL.to, as: null });
  expect(mail?.text).toContain("Subject: [Tradepost N");
  expect(mail?.text).toContain("Alarm: Price rules of erp are late");
  expect(mail?.text).toContain("Since: 31/03/2026 08:15");
  expect(mail?.text).toContain("Do:    Look at the export of the ERP.");
});

test("what is over before it could be told is told as over alone", async () => {
  await using server = await startMailServer();
  server.refuse(1);
  const desk = await openDesk({ email: { ...MAIL, port: server.port, security: "none" } });
  await desk.alarms.raise(LATE);
  await desk.alarms.clear(LATE.key);
  await vi.waitFor(() => expect(server.mails.length).toBe(1), 15_000);
  await vi.waitFor(async () => expect(await desk.waiting()).toEqual([]), 5_000);
  expect(server.mails.map(({ text }) => /^Subject: .*$/m.exec(text)?.[0])).toEqual([
    expect.stringContaining("Over: Price rules") as string,
  ]);
});

test("a mail server that cannot encrypt is given neither letter nor password", async () => {
  await using server = await startMailServer();
  const desk = await openDesk({
    email: { ...MAIL, port: server.port, security: "starttls", user: "alarms" },
  });
  const [, tried] = await desk.alarms.test("J Ross");
  expect(tried?.problem).toMatch(/^127\.0\.0\.1 did not take the letter: .*STARTTLS/);
  expect(server.mails).toEqual([]);
  expect(server.heard.join(" ")).not.toMatch(/AUTH/);
});

test("with STARTTLS the password and the letter go encrypted, to a server that proves its name", async () => {
  const tls = selfSigned("localhost");
  await using server = await startMailServer({ tls });
  const email = { ...MAIL, port: server.port, security: "starttls", user: "alarms" } as const;
  const desk = await openDesk({ email: { ...email, server: "localhost" } });
  const [, refused] = await desk.alarms.test("J Ross");
  expect(refused?.problem).toMatch(/^localhost did not take the letter: .*self-signed certificate/);
  const before = getCACertificates("default");
  setDefaultCACertificates([...before, tls.cert]);
  onTestFinished(() => {
    setDefaultCACertificates(before);
  });
  const [log, tried] = await desk.alarms.test("J Ross");
  expect([log?.problem, tried]).toEqual([
    null,
    { channel: "email", to: `${MAIL.to.join(", ")} by localhost`, problem: null },
  ]);
  expect(server.mails).toMatchObject([{ as: "alarms:hush-hush", encrypted: true }]);
});

function selfSigned(name: string): { key: string; cert: string } {
  const asked =
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=${name} ` +
    `-addext subjectAltName=DNS:${name} -days 2 -keyout - -out -`;
  const stdio = ["ignore", "pipe", "ignore"] as const;
  const pem = execFileSync("openssl", asked.split(" "), { stdio: [...stdio] }).toString();
  const [, key = "", cert = ""] =
    /(-----BEGIN PRIVATE KEY-----.*?-----END PRIVATE KEY-----)\s*(-----BEGIN CERT.*)/s.exec(pem) ??
    [];
  return { key, cert };
}
