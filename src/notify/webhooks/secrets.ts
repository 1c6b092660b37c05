/** What messages are signed with: sealed rows, shown once, the older one valid for a while. */
import { randomUUIDv7 } from "node:crypto";
import type { Queryable, Transaction } from "../../store/index.ts";
import type { SealedText, WebhooksContext } from "./context.ts";
import { newWebhookSecret } from "./sign.ts";

interface Row extends SealedText {
  readonly id: string;
}

/** The only time that it is seen in clear. */
export async function makeSecret(
  { company, seal, now }: WebhooksContext,
  tx: Transaction,
  webhook: string,
): Promise<string> {
  const secret = newWebhookSecret();
  const id = randomUUIDv7();
  const { keyId, nonce, sealed } = (await seal()).seal(secret, boundTo(company, webhook, id));
  await tx.affect(
    `insert into webhook_secret (company, webhook_id, id, key_id, nonce, sealed, made_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [company, webhook, id, keyId, nonce, sealed, now()],
  );
  return secret;
}

/** The secrets there are sign until `until` and no longer. */
export async function endSecrets(
  { company }: WebhooksContext,
  tx: Transaction,
  webhook: string,
  until: Temporal.Instant,
): Promise<void> {
  await tx.affect(
    `update webhook_secret set ends_at = least(ends_at, $3) where company = $1 and webhook_id = $2`,
    [company, webhook, until],
  );
}

/** Those that sign now, the newest first. */
export async function secretsOf(
  { company, seal, now }: WebhooksContext,
  on: Queryable,
  webhook: string,
): Promise<readonly string[]> {
  const rows = await on.query<Row>(
    `select id, key_id as "keyId", nonce, sealed from webhook_secret
      where company = $1 and webhook_id = $2 and (ends_at is null or ends_at > $3)
      order by made_at desc, id desc`,
    [company, webhook, now()],
  );
  const keys = await seal();
  const secrets = rows.map((row) => keys.open(row, boundTo(company, webhook, row.id)));
  // A key that was replaced is soon needed no more.
  for (const [index, { id, keyId }] of rows.entries())
    if (!keys.current(keyId)) {
      const anew = keys.seal(secrets[index] ?? "", boundTo(company, webhook, id));
      await on.affect(
        `update webhook_secret set key_id = $4, nonce = $5, sealed = $6
          where company = $1 and webhook_id = $2 and id = $3 and key_id = $7`,
        [company, webhook, id, anew.keyId, anew.nonce, anew.sealed, keyId],
      );
    }
  return secrets;
}

function boundTo(company: string, webhook: string, id: string): readonly string[] {
  return ["webhook", company, webhook, id];
}
