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
  Accepted,
  AccountOutcome,
  AccountsCapability,
  Connector,
  DeltaPromise,
  DropCall,
  FaultKind,
  Finding,
  FindingClass,
  Found,
  FoundAccount,
  HeldLine,
  Host,
  Json,
  KeptToken,
  NewAccount,
  NewReturn,
  OrderCall,
  OrdersCapability,
  Origin,
  Outcome,
  Position,
  PriceQuestion,
  PricesCapability,
  ReadEvent,
  ReadOptions,
  RenderedOrder,
  RenderedTable,
  ReturnsCapability,
  Session,
  SourceRow,
  StreamDefinition,
  Surveyed,
  TokenStore,
} from "./contract.ts";
export { comparePositions, positionOf } from "./delta.ts";
export { createHider } from "./hide.ts";
export type { Hider } from "./hide.ts";
export { checkConnector } from "./conformance/index.ts";
export type { Card } from "./conformance/index.ts";
export { newConnector } from "./conformance/scaffold.ts";
export { connectorFile, listConnectors, loadConnector, loadRig } from "./loader.ts";
