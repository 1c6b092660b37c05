/**
 * Any small system that answers JSON over HTTP: settings say what its lists and their members are
 * called, and rows come as they are.
 *
 *     erp: { connector: json-http, settings: { baseUrl: https://…, streams: { customers: … } } }
 */
import { ConnectorFault, defineConnector } from "#connector";
import type { Connector, Host, StreamDefinition } from "#connector";
import { openHttp, type HttpAuth } from "#connector/http";
import { openOAuth } from "#connector/oauth";
import { promiseOf, readDelta } from "./delta.ts";
import { pagesOf, START, type Source } from "./pages.ts";
import { keyed } from "./rows.ts";
import { settings, type Delta, type Settings, type Snapshot } from "./settings.ts";
import { readKeys, readSnapshot } from "./snapshot.ts";

export const connector: Connector<Settings> = defineConnector({
  name: "json-http",
  about: "Any small system that answers JSON over HTTP, page by page.",
  settings,
  streams: ({ streams }) => Object.entries(streams).map(([name, list]) => definition(name, list)),
  open: async (given, host) => {
    const { baseUrl, perSecond, streams } = given;
    const auth = authOf(given, host);
    const http = openHttp({ baseUrl, perSecond, ...(auth === null ? {} : { auth }) }, host);
    const source: Source = { http, host, settings: given };
    return {
      read: (stream, cursor) => {
        const list = listOf(given, stream);
        return list.reading === "snapshot"
          ? readSnapshot(source, stream, list, cursor)
          : readDelta(source, stream, list, cursor);
      },
      ...(Object.values(streams).some(hasKeys)
        ? { keys: (stream: string) => readKeys(source, stream, keysOf(given, stream)) }
        : {}),
      check: async () => {
        for (const [stream, list] of Object.entries(streams)) await tryOut(source, stream, list);
        return [];
      },
      // Connections close with the host's signal; there is nothing else to close.
      async [Symbol.asyncDispose]() {},
    };
  },
});

function definition(name: string, list: Snapshot | Delta): StreamDefinition {
  const { reading, key, path, about = `The list at ${path}` } = list;
  if (reading === "snapshot") return { name, about, reading, key };
  return { name, about, reading, key, delta: promiseOf(list), deletions: list.removals };
}

function authOf({ auth }: Settings, host: Host): HttpAuth | null {
  switch (auth.kind) {
    case "none":
      return null;
    case "header":
      return { kind: "header", name: auth.name, value: host.secret(auth.secret) };
    case "oauth-client": {
      const { tokenUrl, clientId, clientAuth, scope } = auth;
      const clientSecret = host.secret(auth.clientSecret);
      const scoped = scope === undefined ? {} : { scope };
      return openOAuth(
        { grant: "client", tokenUrl, clientId, clientSecret, clientAuth, ...scoped },
        host,
      );
    }
    default:
      return auth satisfies never;
  }
}

function listOf({ streams }: Settings, stream: string): Snapshot | Delta {
  const list = Object.hasOwn(streams, stream) ? streams[stream] : undefined;
  if (list !== undefined) return list;
  throw new ConnectorFault(
    "config",
    `The settings of json-http name no stream "${stream}".`,
    `Its streams are ${Object.keys(streams).join(", ")}.`,
  );
}

function hasKeys(list: Snapshot | Delta): list is Delta {
  return list.reading === "delta" && list.removals === "keys";
}

function keysOf(given: Settings, stream: string): Delta {
  const list = listOf(given, stream);
  if (hasKeys(list)) return list;
  throw new ConnectorFault(
    "config",
    `The settings say of no list of keys of ${stream}.`,
    "Where the system has one, let the stream be a delta with removals: keys.",
  );
}

/** Asks for each list's first page; rows that are none are told when it is read. */
async function tryOut(source: Source, stream: string, list: Snapshot | Delta): Promise<void> {
  const paging = list.reading === "snapshot" ? list.paging : "token";
  const itemOf = keyed(list.key, source.settings.flatten);
  const paths = hasKeys(list) ? [list.path, `${list.path}/keys`] : [list.path];
  for (const path of paths) await pagesOf(source, { stream, path, paging, itemOf }, START).next();
}
