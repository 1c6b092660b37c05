/**
 * The connector door for the modules of `src`: the contract's types, and connectors by name.
 * Promises that a connector is found by its folder alone: adding one edits no existing file. Never
 * names a connector and never opens one.
 *
 *     const connector = await loadConnector("csv");
 *     const settings = connector.settings.parse({ folder: "/srv/erp" });
 */
export { ConnectorFault } from "./contract.ts";
export type {
  Connector,
  FaultKind,
  Finding,
  Found,
  Host,
  Json,
  OrdersCapability,
  Origin,
  Outcome,
  ReadEvent,
  RenderedOrder,
  RenderedTable,
  Session,
  SourceRow,
  StreamDefinition,
} from "./contract.ts";
export { listConnectors, loadConnector } from "./loader.ts";
