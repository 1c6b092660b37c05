/** Connectors that are wrong in what they say of themselves. */
import { join } from "node:path";
import { z } from "zod";
import type { StreamDefinition } from "../../../src/connector/index.ts";
import { healthy, saying, type Broken } from "./breaking.ts";

const settings = healthy.settings as unknown as z.ZodObject;
const streams = healthy.streams(settings.parse(givenSettings()) as never);

/** Promises of the healthy streams, to be changed. */
export const customers = streamOf("customers");
export const invoices = streamOf("invoices");

function streamOf(name: string): StreamDefinition {
  const found = streams.find((stream) => stream.name === name);
  if (found === undefined) throw new Error(`the stockroom has no stream ${name}`);
  return found;
}

function givenSettings(): Record<string, unknown> {
  return { baseUrl: "http://127.0.0.1", clientId: "x", clientSecret: "x" };
}

/** Settings that hold without being given, so that streams can be judged. */
const none = z.strictObject({});

const AS_EVER = { connector: saying("", "", {}).connector, rig: null };

function codeOf(folder: string): string {
  return join(import.meta.dirname, folder, "stockroom/index.ts");
}

export const BROKEN_STATICS: readonly Broken[] = [
  {
    ...AS_EVER,
    breaks: "import-is-free",
    how: "importing it starts a timer",
    file: codeOf("costly-import"),
  },
  {
    ...AS_EVER,
    breaks: "import-is-free",
    how: "importing it reads a file",
    file: codeOf("disk-import"),
  },
  {
    ...AS_EVER,
    breaks: "no-clock-no-environment",
    how: "it reads the clock",
    file: codeOf("clock"),
  },
  saying("name-and-about", "its name has capitals", { name: "Stockroom" }),
  saying("name-and-about", "it does not say what it is", { about: "" }),
  saying("settings-are-strict", "it lets unknown settings through", {
    settings: z.object(settings.shape) as never,
  }),
  saying("settings-are-strict", "it lets unknown settings through, further down", {
    settings: settings.extend({ proxy: z.object({ host: z.string().describe("Host.") }) }) as never,
  }),
  saying("settings-explain-themselves", "a setting has no description", {
    settings: settings.extend({ site: z.string().optional() }) as never,
  }),
  saying("settings-explain-themselves", "a setting can be shown by no schema", {
    settings: settings.extend({ since: z.date().describe("From when.") }) as never,
  }),
  saying("secrets-by-name", "a password stands in its settings", {
    settings: settings.extend({ password: z.string().describe("The password.") }) as never,
  }),
  saying("streams-are-named", "a stream does not say what it is", {
    settings: none as never,
    streams: () => [{ ...customers, about: " " }],
  }),
  saying("streams-are-named", "two streams have one name", {
    settings: none as never,
    streams: () => [customers, customers],
  }),
  saying("promises-agree", "a snapshot promises how its delta goes on", {
    settings: none as never,
    streams: () => [{ ...invoices, reading: "snapshot", deletions: "absence" }],
  }),
  saying("promises-agree", "removals are marked on rows without a key", {
    settings: none as never,
    streams: () => {
      const { key: _key, ...others } = invoices;
      return [others];
    },
  }),
  saying("promises-agree", "a stamp of seconds has no time zone", {
    settings: none as never,
    streams: () => [
      { ...invoices, delta: { grain: "second", zone: "none", ordered: true, overlap: 0 } },
    ],
  }),
  saying("promises-agree", "its key is no column of its rows", {
    settings: none as never,
    streams: () => [{ ...customers, key: ["code"] }],
  }),
];
