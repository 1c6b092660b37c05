/**
 * A session as the rest of Tradepost sees it: whatever it throws or says has its secrets taken out,
 * for faults are stored, shown on screens and sent by mail.
 */
import type { Hider, Json, Session } from "../connector/index.ts";

/** The session that `open` gives, with every fault and every answer of its capabilities cleaned. */
export async function openGuarded(open: () => Promise<Session>, hider: Hider): Promise<Session> {
  try {
    return guardObject(await open(), hider);
  } catch (error) {
    throw cleaned(error, hider);
  }
}

/** Names, absent capabilities and the session's own fields stay as they are. */
function guardObject<T extends object>(object: T, hider: Hider): T {
  return new Proxy(object, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value === "function")
        return (...given: unknown[]) =>
          outcome(() => Reflect.apply(value, target, given) as unknown, hider);
      return isCapability(name, value) ? guardObject(value, hider) : value;
    },
  });
}

const CAPABILITIES: ReadonlySet<string | symbol> = new Set(["orders", "accounts", "prices"]);

function isCapability(name: string | symbol, value: unknown): value is object {
  return CAPABILITIES.has(name) && typeof value === "object" && value !== null;
}

function outcome(call: () => unknown, hider: Hider): unknown {
  try {
    const given = call();
    if (isIterable(given)) return guardIterable(given, hider);
    if (!(given instanceof Promise)) return given;
    return given.then(
      (value: unknown) => (isIterable(value) ? guardIterable(value, hider) : hidden(value, hider)),
      (error: unknown) => {
        throw cleaned(error, hider);
      },
    );
  } catch (error) {
    throw cleaned(error, hider);
  }
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/** Rows pass as they are: they are the customer's data, and there are millions of them. */
async function* guardIterable(source: AsyncIterable<unknown>, hider: Hider) {
  try {
    yield* source;
  } catch (error) {
    throw cleaned(error, hider);
  }
}

/** The same error, so that its class and kind stay, without secrets in any of its texts. */
function cleaned(error: unknown, hider: Hider): unknown {
  const seen = new Set<unknown>();
  for (let each = error; each instanceof Error && !seen.has(each); each = each.cause) {
    seen.add(each);
    for (const name of Object.getOwnPropertyNames(each)) {
      const value: unknown = Reflect.get(each, name);
      if (!(value instanceof Error)) replace(each, name, value, hider);
    }
    if (each instanceof AggregateError) for (const part of each.errors) cleaned(part, hider);
  }
  return error;
}

function replace(error: Error, name: string, value: unknown, hider: Hider): void {
  const clean = typeof value === "string" ? hider.hide(value) : hidden(value, hider);
  if (clean !== value) Reflect.defineProperty(error, name, { value: clean, configurable: true });
}

/** Plain values with their texts cleaned; the value itself where nothing was to be hidden. */
function hidden(value: unknown, hider: Hider): unknown {
  if (typeof value === "string") return hider.hide(value);
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => hidden(item, hider));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (typeof value !== "object" || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value).map(([name, each]) => [name, hidden(each, hider)] as const);
  const same = entries.every(([name, each]) => each === Reflect.get(value, name));
  return same ? value : Object.fromEntries(entries);
}

/** Facts of a log line. */
export function hiddenFacts(
  facts: Readonly<Record<string, Json>>,
  hider: Hider,
): Readonly<Record<string, Json>> {
  return hidden(facts, hider) as Readonly<Record<string, Json>>;
}

/** A kept token, and when it is JSON each text in it that may be a secret. */
export function learn(text: string, hider: Hider): void {
  hider.add(text);
  try {
    JSON.parse(text, (_, value: unknown) => {
      if (typeof value === "string" && value.length >= 8 && !/^\d{4}-\d\d-\d\dT/.test(value))
        hider.add(value);
      return value;
    });
  } catch {
    // No JSON: the whole is the secret.
  }
}
