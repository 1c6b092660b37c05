/** The lines that a shop's developer copies from the README, run as they stand there. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { newWebhookSecret, signedHeaders } from "../../src/notify/webhooks/sign.ts";
import { WAITS_SECONDS } from "../../src/notify/webhooks/waits.ts";

const README = readFileSync("src/notify/README.md", "utf8");

type Verify = (secret: string, headers: Readonly<Record<string, string>>, body: string) => unknown;

async function verifyOfReadme(): Promise<Verify> {
  const code = /```js\n([\s\S]*?)```/.exec(README)?.[1] ?? "";
  const address = `data:text/javascript,${encodeURIComponent(code)}`;
  return ((await import(/* @vite-ignore */ address)) as { verify: Verify }).verify;
}

test("the lines of JavaScript take what is signed, by the old secret or the new, and nothing else", async () => {
  const verify = await verifyOfReadme();
  const [old, secret, other] = [newWebhookSecret(), newWebhookSecret(), newWebhookSecret()];
  const message = { id: "1", sentAt: Temporal.Now.instant(), body: '{"type":"order.accepted"}' };
  const headers = signedHeaders(message, [secret, old]);
  expect(verify(secret, headers, message.body)).toEqual({ type: "order.accepted" });
  expect(verify(old, headers, message.body)).toEqual({ type: "order.accepted" });
  expect(() => verify(other, headers, message.body)).toThrow("not signed for us");
  expect(() => verify(secret, headers, message.body.replace("ed", "ing"))).toThrow(
    "not signed for us",
  );
  const late = signedHeaders({ ...message, sentAt: message.sentAt.subtract({ minutes: 6 }) }, [
    secret,
  ]);
  expect(() => verify(secret, late, message.body)).toThrow("too old");
});

test("the waits that the README names are the waits there are", () => {
  const words = WAITS_SECONDS.map((seconds) =>
    seconds < 60
      ? `${seconds} s`
      : seconds < 3_600
        ? `${seconds / 60} min`
        : `${seconds / 3_600} h`,
  );
  expect(README.replaceAll(/\s+/g, " ")).toContain(
    `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`,
  );
});
