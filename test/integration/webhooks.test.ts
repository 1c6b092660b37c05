/** Webhooks on a real database, to a real receiver that verifies with the standard's library. */
import { Webhook as Verifier } from "standardwebhooks";
import { describe, expect, onTestFinished, test } from "vitest";
import { readKeys } from "../../src/connections/index.ts";
import { noteEvents, openEvents, openWebhooks, type Webhooks } from "../../src/notify/index.ts";
import { useDatabase } from "../support/database.ts";
import { farSide, type Answering, type FarSide, type Seen } from "../support/far-side.ts";

const database = useDatabase();

const DEED = { who: "J Ross", why: "the new shop" };
const TYPES = ["order.received", "order.accepted", "order.fulfilment"];
let companies = 0;

interface Desk {
  readonly company: string;
  readonly webhooks: Webhooks;
  readonly receiver: FarSide;
  readonly alarms: Map<string, string>;
  pass(seconds: number): void;
  now(): Temporal.Instant;
  note(...orders: readonly string[]): Promise<void>;
  /** Messages that the receiver got, `data.webOrder` of each. */
  got(): readonly string[];
  /** Another instance of the service. */
  again(options?: Partial<Parameters<typeof openWebhooks>[0]>): Webhooks;
}

const takes: Answering = (_seen, response) => void response.writeHead(204).end();

async function openDesk(answer: Answering = takes): Promise<Desk> {
  companies += 1;
  const company = `W${companies}`;
  const receiver = await farSide(answer);
  let now = Temporal.Now.instant().round("millisecond");
  const logged: string[] = [];
  onTestFinished(() => expect(logged).toEqual([]));
  const alarms = new Map<string, string>();
  const keys = readKeys("a key for tests that is long enough", null);
  const open: Desk["again"] = (options = {}) => {
    const opened = openWebhooks({
      store: database.store,
      company,
      now: () => now,
      log: (_level, message) => logged.push(message),
      alarms: {
        raise: async ({ key, title }) => void alarms.set(key, title),
        clear: async (key) => void alarms.delete(key),
      },
      seal: () => keys,
      audit: async () => undefined,
      types: TYPES,
      allow: ["127.0.0.1"],
      disableAfterDays: 5,
      timeoutMs: 300,
      chance: () => 0,
      ...options,
    });
    onTestFinished(() => opened.close());
    return opened;
  };
  onTestFinished(() => receiver[Symbol.asyncDispose]());
  return {
    company,
    webhooks: open(),
    receiver,
    alarms,
    pass: (seconds) => {
      now = now.add({ seconds });
    },
    now: () => now,
    note: async (...orders) => {
      for (const order of orders)
        await database.store.transaction((tx) =>
          noteEvents(tx, company, [
            {
              type: "order.accepted",
              subject: `order/${order}`,
              at: now,
              data: { webOrder: order, test: false },
            },
          ]),
        );
    },
    got: () => receiver.seen.map((seen) => orderIn(seen)),
    again: open,
  };
}

function orderIn({ body }: Seen): string {
  return String((JSON.parse(body) as { data: { webOrder?: string } }).data.webOrder);
}

async function added(desk: Desk, types: readonly string[] = []) {
  return desk.webhooks.add({ url: `${desk.receiver.url}/hook`, about: "the shop", types }, DEED);
}

function verified(secret: string, { headers, body }: Seen): unknown {
  return new Verifier(secret).verify(body, headers as Record<string, string>);
}

function idOf({ headers }: Seen): string {
  return String(headers["webhook-id"]);
}

describe("a message", () => {
  test("is thin, and verified by the standard's own library", async () => {
    const desk = await openDesk();
    const { secret } = await added(desk);
    await desk.note("W-1");
    await desk.webhooks.settle();
    const [seen] = desk.receiver.seen;
    if (seen === undefined) throw new Error("nothing came");
    expect(verified(secret, seen)).toEqual({
      type: "order.accepted",
      timestamp: desk.now().toString(),
      data: { webOrder: "W-1", test: false, eventNumber: 1 },
    });
    expect(seen.headers["content-type"]).toBe("application/json");
    expect(Buffer.from(secret.slice("whsec_".length), "base64")).toHaveLength(32);
    const old = { ...seen.headers, "webhook-timestamp": "1700000000" };
    expect(() => verified(secret, { ...seen, headers: old })).toThrow("Message timestamp too old");
    const forged = { ...seen, body: seen.body.replace("W-1", "W-2") };
    expect(() => verified(secret, forged)).toThrow("No matching signature found");
  });
});

test("of test orders goes where they are asked for, and nowhere else, when it is replayed, too", async () => {
  const desk = await openDesk();
  const told = async () => {
    await desk.webhooks.settle();
    return desk.receiver.seen
      .splice(0)
      .map((seen) => `${seen.url}: ${orderIn(seen)}`)
      .toSorted();
  };
  const ids: string[] = [];
  for (const orders of [undefined, "test", "both"] as const) {
    const url = `${desk.receiver.url}/${orders ?? "live"}`;
    const wanted = { url, about: "", types: [], ...(orders === undefined ? {} : { orders }) };
    ids.push((await desk.webhooks.add(wanted, DEED)).webhook.id);
  }
  await desk.note("W-1");
  await noteEvents(database.store, desk.company, [
    {
      type: "order.accepted",
      subject: "order/T-1",
      at: desk.now(),
      data: { webOrder: "T-1", test: true },
    },
  ]);
  const all = ["/both: T-1", "/both: W-1", "/live: W-1", "/test: T-1"];
  expect(await told()).toEqual(all);
  const span = { from: desk.now(), to: desk.now().add({ seconds: 1 }) };
  for (const id of ids) await desk.webhooks.replay(id, span, DEED);
  expect(await told()).toEqual(all);
  const [live = ""] = ids;
  expect(await desk.webhooks.change(live, { orders: "test" }, DEED)).toMatchObject({
    orders: "test",
  });
  await desk.note("W-2");
  expect(await told()).toEqual(["/both: W-2"]);
});

describe("taken or tried again", () => {
  test("over days with growing waits, under one id, until it is taken", async () => {
    const desk = await openDesk((_seen, response, number) => {
      response.writeHead(number < 4 ? 500 : 200).end("the shop is down");
    });
    await added(desk);
    await desk.note("W-1");
    const counts: number[] = [];
    for (const seconds of [0, 4, 1, 299, 1, 1_799, 1]) {
      desk.pass(seconds);
      await desk.webhooks.settle();
      counts.push(desk.receiver.seen.length);
    }
    expect(counts).toEqual([1, 1, 2, 2, 3, 3, 4]);
    expect(new Set(desk.receiver.seen.map(idOf)).size).toBe(1);
    expect((await desk.webhooks.list())[0]).toMatchObject({ waiting: 0, failed: 0 });
  });

  test("failed after the last of ten tries with an alarm, which a replay ends", async () => {
    let well = false;
    const desk = await openDesk((_seen, response) => {
      response.writeHead(well ? 200 : 500).end("no room");
    });
    const { webhook } = await added(desk);
    await desk.note("W-1");
    for (const hours of [0, 1, 1, 3, 6, 11, 15, 21, 25, 25]) {
      desk.pass(hours * 3_600);
      await desk.webhooks.settle();
    }
    const failed = await desk.webhooks.untaken({ limit: 10 });
    expect(failed).toMatchObject([
      { state: "failed", tries: 10, dueAt: null, status: 500, problem: "answered 500: no room" },
    ]);
    expect([...desk.alarms]).toEqual([
      [
        `webhook/${webhook.id}`,
        "the webhook the shop (127.0.0.1:PORT) did not take events".replace(
          "127.0.0.1:PORT",
          new URL(desk.receiver.url).host,
        ),
      ],
    ]);
    well = true;
    expect(await desk.webhooks.replay(webhook.id, { failed: true }, DEED)).toBe(1);
    await desk.webhooks.settle();
    expect(new Set(desk.receiver.seen.map(idOf)).size).toBe(1);
    expect(await desk.webhooks.untaken({ limit: 10 })).toEqual([]);
    expect([...desk.alarms]).toEqual([]);
  });

  test("not before a receiver that is throttled wants it, and nothing else before either", async () => {
    const desk = await openDesk((_seen, response, number) => {
      response.writeHead(number === 1 ? 429 : 200, { "retry-after": "120" }).end();
    });
    await added(desk);
    await desk.note("W-1");
    await desk.webhooks.settle();
    await desk.note("W-2");
    desk.pass(119);
    await desk.webhooks.settle();
    expect(desk.got()).toEqual(["W-1"]);
    desk.pass(1);
    await desk.webhooks.settle();
    expect(desk.got().toSorted()).toEqual(["W-1", "W-1", "W-2"]);
  });

  test("a receiver that says 410 is disabled, said in an alarm, and goes on where it stopped", async () => {
    let gone = true;
    const desk = await openDesk(
      (_seen, response) => void response.writeHead(gone ? 410 : 200).end(),
    );
    const { webhook } = await added(desk);
    await desk.note("W-1");
    await desk.webhooks.settle();
    await desk.note("W-2");
    await desk.webhooks.settle();
    expect(await desk.webhooks.show(webhook.id)).toMatchObject({
      state: "disabled",
      disabledBecause: "It answered 410: the receiver is gone for good.",
    });
    expect([...desk.alarms.keys()]).toEqual([`webhook/${webhook.id}`]);
    gone = false;
    await desk.webhooks.enable(webhook.id, false, DEED);
    expect([...desk.alarms]).toEqual([]);
    await desk.webhooks.settle();
    expect(desk.got().toSorted()).toEqual(["W-1", "W-1", "W-2"]);
  });

  test("one that has taken nothing for days is disabled with an alarm", async () => {
    const desk = await openDesk((_seen, response) => void response.writeHead(503).end());
    const { webhook } = await added(desk);
    await desk.note("W-1");
    await desk.webhooks.settle();
    desk.pass(4 * 86_400);
    await desk.webhooks.settle();
    expect(await desk.webhooks.show(webhook.id)).toMatchObject({ state: "enabled" });
    desk.pass(86_400);
    await desk.webhooks.settle();
    expect(await desk.webhooks.show(webhook.id)).toMatchObject({ state: "disabled" });
    expect(desk.alarms.get(`webhook/${webhook.id}`)).toMatch(/is disabled$/);
  });

  test("never through a redirect, and never waiting longer than it is given", async () => {
    const desk = await openDesk((seen, response) => {
      if (orderIn(seen) === "W-1") response.writeHead(302, { location: "/elsewhere" }).end();
    });
    await added(desk);
    await desk.note("W-1", "W-2");
    await desk.webhooks.settle();
    const problems = (await desk.webhooks.untaken({ limit: 10 })).map(({ problem }) =>
      String(problem),
    );
    expect(problems.toSorted()).toEqual([
      "answered 302, and redirects are not followed",
      "no answer within 0.3 s",
    ]);
    expect(desk.receiver.seen.map(({ url }) => url)).toEqual(["/hook", "/hook"]);
  });
});

describe("order, sharing and loss", () => {
  test("an order's events come in their order, and another order's do not wait for them", async () => {
    const desk = await openDesk((seen, response, number) => {
      response.writeHead(orderIn(seen) === "W-1" && number < 3 ? 500 : 200).end();
    });
    await added(desk);
    await desk.note("W-1", "W-2", "W-1");
    await desk.webhooks.settle();
    expect(desk.got().toSorted()).toEqual(["W-1", "W-2"]);
    desk.pass(3_600);
    await desk.webhooks.settle();
    const numbers = desk.receiver.seen
      .filter((seen) => orderIn(seen) === "W-1")
      .map(({ body }) => (JSON.parse(body) as { data: { eventNumber: number } }).data.eventNumber);
    expect(numbers).toEqual([1, 1, 3]);
  });

  test("while one waits, later ones of its order are not due and cost nobody a look", async () => {
    const desk = await openDesk((_seen, response) => void response.writeHead(500).end());
    await added(desk);
    const due = async () => {
      await desk.webhooks.settle();
      return database.store.query<{ due: boolean }>(
        "select due_at <= $2 as due from webhook_delivery where company = $1 order by number",
        [desk.company, desk.now()],
      );
    };
    await desk.note("W-1", "W-1");
    expect(await due()).toEqual([{ due: false }, { due: false }]);
    await desk.note("W-1");
    expect(await due()).toEqual([{ due: false }, { due: false }, { due: false }]);
    expect(desk.got()).toHaveLength(1);
  });

  test("after its fourth try an event holds up later ones of its order no longer", async () => {
    const desk = await openDesk((seen, response) => {
      response.writeHead(seen.body.includes('"eventNumber":1') ? 500 : 200).end();
    });
    await added(desk);
    await desk.note("W-1", "W-1");
    for (const seconds of [0, 5, 300]) {
      desk.pass(seconds);
      await desk.webhooks.settle();
    }
    expect(desk.got()).toHaveLength(3);
    desk.pass(1_800);
    await desk.webhooks.settle();
    expect(desk.got()).toHaveLength(5);
    expect(await desk.webhooks.list()).toMatchObject([{ waiting: 1 }]);
  });

  test("several instances share the work, and each message has one sender at a time", async () => {
    const desk = await openDesk((_seen, response) => {
      setTimeout(() => response.writeHead(200).end(), 5);
    });
    await added(desk);
    await desk.note(...Array.from({ length: 40 }, (_, index) => `W-${index}`));
    await Promise.all([desk.webhooks.settle(), desk.again().settle(), desk.again().settle()]);
    expect(desk.got()).toHaveLength(40);
    expect(new Set(desk.got()).size).toBe(40);
  });

  test("a message whose sender died is sent by another under the same id", async () => {
    const desk = await openDesk((_seen, response, number) => {
      if (number > 1) response.writeHead(200).end();
    });
    await added(desk);
    await desk.note("W-1");
    // Taken by a process that is no more: its lease stands, and nobody will give it back.
    const dying = desk.again({ timeoutMs: 60_000, leaseSeconds: 0.5 });
    await dying.work();
    await expect.poll(() => desk.got().length).toBe(1);
    await desk.webhooks.settle();
    expect(desk.got()).toHaveLength(1);
    await expect
      .poll(async () => {
        await desk.webhooks.settle();
        return desk.got().length;
      })
      .toBe(2);
    expect(new Set(desk.receiver.seen.map(idOf)).size).toBe(1);
    await dying.close();
    expect(await desk.webhooks.list()).toMatchObject([{ waiting: 0 }]);
  });

  test("one that is stopped gives back what it was sending", async () => {
    const desk = await openDesk((_seen, response, number) => {
      if (number > 1) response.writeHead(200).end();
    });
    await added(desk);
    await desk.note("W-1");
    const stopped = desk.again({ timeoutMs: 60_000 });
    await stopped.work();
    await expect.poll(() => desk.got().length).toBe(1);
    await stopped.close();
    await desk.webhooks.settle();
    expect(desk.got()).toHaveLength(2);
  });
});

describe("what a person does", () => {
  test("after a rotation the old secret and the new one verify, and only the new one later", async () => {
    const desk = await openDesk();
    const { webhook, secret: old } = await added(desk);
    const { secret } = await desk.webhooks.rotate(webhook.id, 24, DEED);
    const verifies = async () => {
      await desk.note("W-1");
      await desk.webhooks.settle();
      const seen = desk.receiver.seen.at(-1);
      if (seen === undefined) throw new Error("nothing came");
      return [old, secret].map((one) => {
        try {
          return verified(one, seen) !== null;
        } catch {
          return false;
        }
      });
    };
    expect(await verifies()).toEqual([true, true]);
    desk.pass(86_401);
    expect(await verifies()).toEqual([false, true]);
  });

  test("a secret does not stand in the database in clear, and opens for its webhook alone", async () => {
    const desk = await openDesk();
    const { webhook, secret } = await added(desk);
    const { webhook: other } = await added(desk);
    const rows = await database.store.query<{ sealed: Buffer }>(
      "select sealed from webhook_secret where company = $1",
      [desk.company],
    );
    for (const { sealed } of rows) expect(sealed.includes(secret.slice(6))).toBe(false);
    await database.store.query(
      `update webhook_secret set webhook_id = case when webhook_id = $2 then $3::uuid else $2 end
        where company = $1`,
      [desk.company, webhook.id, other.id],
    );
    await desk.note("W-1");
    await desk.webhooks.settle();
    expect(desk.got()).toEqual([]);
    const [one] = await desk.webhooks.untaken({ limit: 1 });
    expect(one?.problem).toMatch(/^could not be signed for: .* Or rotate the webhook's secret\.$/);
  });

  test("a range of time is sent again under the same ids, of the webhook's types alone", async () => {
    const desk = await openDesk();
    const { webhook } = await added(desk, ["order.accepted"]);
    await desk.note("W-1");
    desk.pass(60);
    const from = desk.now();
    await desk.note("W-2");
    desk.pass(60);
    await desk.note("W-3");
    await desk.webhooks.settle();
    const range = { from, to: from.add({ seconds: 60 }) };
    expect(await desk.webhooks.replay(webhook.id, range, DEED)).toBe(1);
    await desk.webhooks.settle();
    expect(desk.got().toSorted()).toEqual(["W-1", "W-2", "W-2", "W-3"]);
    expect(new Set(desk.receiver.seen.map(idOf)).size).toBe(3);
    const second = desk.receiver.seen.findLast((seen) => orderIn(seen) === "W-2");
    expect(
      await desk.webhooks.replay(
        webhook.id,
        { event: second === undefined ? "" : idOf(second) },
        DEED,
      ),
    ).toBe(1);
    await desk.webhooks.settle();
    expect(desk.got().at(-1)).toBe("W-2");
  });

  test("types choose, and a misspelt one is found", async () => {
    const desk = await openDesk();
    await added(desk, ["order.received"]);
    await desk.note("W-1");
    await desk.webhooks.settle();
    expect(desk.got()).toEqual([]);
    await expect(added(desk, ["order.acepted"])).rejects.toMatchObject({ code: "webhook-types" });
    await added(desk, ["order.*"]);
    await desk.note("W-2");
    await desk.webhooks.settle();
    expect(desk.got()).toEqual(["W-2"]);
  });

  test("a trial message is signed, told of at once and kept nowhere", async () => {
    const desk = await openDesk();
    const { webhook, secret } = await added(desk);
    expect(await desk.webhooks.test(webhook.id.slice(-6))).toMatchObject({
      status: 204,
      problem: null,
    });
    const [seen] = desk.receiver.seen;
    if (seen === undefined) throw new Error("nothing came");
    expect(verified(secret, seen)).toMatchObject({ type: "webhook.test" });
    const events = openEvents({ ...desk, store: database.store, keepDays: 30 });
    expect(await events.after({ after: 0, limit: 10 })).toMatchObject({ events: [] });
  });
});

describe("what is kept", () => {
  test("an event on its way to a webhook is not deleted, however old", async () => {
    const desk = await openDesk((_seen, response) => void response.writeHead(500).end());
    const { webhook } = await added(desk);
    await desk.note("W-1");
    await desk.webhooks.settle();
    desk.pass(100 * 86_400);
    const events = openEvents({ ...desk, store: database.store, keepDays: 7 });
    expect(await events.tidy()).toBe(0);
    await desk.webhooks.disable(webhook.id, DEED);
    expect(await events.tidy()).toBe(1);
    expect(await desk.webhooks.show(webhook.id)).toMatchObject({ waiting: 0, missed: 1 });
  });

  test("what a disabled webhook was never told and is deleted is counted, not passed over", async () => {
    const desk = await openDesk();
    const { webhook } = await added(desk);
    await desk.webhooks.disable(webhook.id, DEED);
    await desk.note("W-1", "W-2");
    desk.pass(8 * 86_400);
    await openEvents({ ...desk, store: database.store, keepDays: 7 }).tidy();
    await desk.note("W-3");
    expect(await desk.webhooks.enable(webhook.id, false, DEED)).toMatchObject({ missed: 2 });
    await desk.webhooks.settle();
    expect(desk.got()).toEqual(["W-3"]);
  });

  test("what an enabled webhook was not given yet is kept for it, however old it is", async () => {
    const desk = await openDesk();
    await added(desk);
    await desk.note("W-1", "W-2");
    desk.pass(8 * 86_400);
    expect(await openEvents({ ...desk, store: database.store, keepDays: 7 }).tidy()).toBe(0);
    await desk.webhooks.settle();
    // One order waits for no other.
    expect(desk.got().toSorted()).toEqual(["W-1", "W-2"]);
  });

  test("a secret is sealed anew with the key that seals now, so that an old key can go", async () => {
    const [old, anew] = ["an old key that is long enough", "a new key that is long enough"];
    const desk = await openDesk();
    const with_ = (text: string) => ({ seal: () => readKeys(text, null) });
    const { secret } = await desk
      .again(with_(old))
      .add({ url: `${desk.receiver.url}/hook`, about: "", types: [] }, DEED);
    for (const keys of [`${anew},${old}`, anew]) {
      await desk.note("W-1");
      await desk.again(with_(keys)).settle();
      const seen = desk.receiver.seen.at(-1);
      expect(seen === undefined ? null : verified(secret, seen)).not.toBeNull();
    }
    expect(desk.got()).toHaveLength(2);
  });
});
