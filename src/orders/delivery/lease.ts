/**
 * Who is at an order: one row with the holder's token and until when, by the database's clock. The
 * holder pushes that moment back while it works; whoever finds it past takes the order over. What
 * came of a call is recorded only by the holder, in a transaction that holds the row.
 */
import { randomUUIDv7 } from "node:crypto";
import type { Queryable, Store, Transaction } from "../../store/index.ts";

export interface LeasedOrder {
  readonly company: string;
  readonly id: string;
}

export type Taken =
  | {
      readonly taken: true;
      readonly holder: string;
      /** Until when the one who lost it held it; null: nobody did. */
      readonly lostAt: Temporal.Instant | null;
    }
  /** Somebody else is at it, for so long unless pushed back. */
  | { readonly taken: false; readonly heldForSeconds: number };

/** In the transaction in which it is also looked at what a lost sender left. */
export async function takeLease(
  tx: Transaction,
  { company, id }: LeasedOrder,
  seconds: number,
): Promise<Taken> {
  const holder = randomUUIDv7();
  const [there] = await tx.query<{ until: Temporal.Instant; left: number }>(
    `select until, extract(epoch from until - clock_timestamp())::float as left
       from web_order_lease where company = $1 and order_id = $2 for update`,
    [company, id],
  );
  if (there !== undefined && there.left > 0) return { taken: false, heldForSeconds: there.left };
  // Two may find no row at once: the one who waits for the other finds a row that is held.
  const taken = await tx.affect(
    `insert into web_order_lease as l (company, order_id, holder, until)
     values ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))
     on conflict (company, order_id) do update set holder = excluded.holder, until = excluded.until
      where l.until <= clock_timestamp()`,
    [company, id, holder, seconds],
  );
  if (taken === 0) return { taken: false, heldForSeconds: seconds };
  return { taken: true, holder, lostAt: there?.until ?? null };
}

/** Pushed back so often within its time. */
const BEATS = 3;

export class Lease implements AsyncDisposable {
  readonly order: LeasedOrder;
  readonly holder: string;
  readonly #store: Store;
  readonly #seconds: number;
  readonly #beat: NodeJS.Timeout;
  readonly #lost = new AbortController();
  #beating: Promise<void> = Promise.resolve();

  constructor(store: Store, order: LeasedOrder, holder: string, seconds: number) {
    this.order = order;
    this.holder = holder;
    this.#store = store;
    this.#seconds = seconds;
    this.#beat = setInterval(
      () => {
        this.#beating = this.#beating.then(() => this.#pushBack());
      },
      (seconds * 1000) / BEATS,
    );
    this.#beat.unref();
  }

  /** Aborted when another one has taken the order over. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** True: still ours, and nobody can take it before `tx` ends. */
  async holds(tx: Queryable): Promise<boolean> {
    const rows = await tx.query(
      `select 1 from web_order_lease where company = $1 and order_id = $2 and holder = $3
          for update`,
      [this.order.company, this.order.id, this.holder],
    );
    return rows.length === 1;
  }

  /** One that cannot be given back runs out by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#beat);
    await this.#beating;
    await this.#store
      .affect("delete from web_order_lease where company = $1 and order_id = $2 and holder = $3", [
        this.order.company,
        this.order.id,
        this.holder,
      ])
      .catch(() => 0);
  }

  /** While the database is away nothing is known: it may be ours still when it is back. */
  async #pushBack(): Promise<void> {
    const { company, id } = this.order;
    const ours = await this.#store
      .affect(
        `update web_order_lease set until = clock_timestamp() + make_interval(secs => $4)
          where company = $1 and order_id = $2 and holder = $3`,
        [company, id, this.holder, this.#seconds],
      )
      .catch(() => null);
    if (ours === 0) this.#lost.abort();
  }
}
