/** The judge of the order lane, shown worlds that are broken on purpose. */
import { expect, test } from "vitest";
import { judgeOrders, type Agreed, type Evidence, type Standing } from "../fault/push/judge.ts";
import type { HeldDocument } from "../support/hostile-erp/index.ts";

const line = { code: "NAIL-65", quantity: "2", net: "6.90", vat: "1.38" };
const order: Agreed = { account: "A001", net: "6.90", vat: "1.38", lines: [line] };
const held: HeldDocument = {
  number: "SO-1",
  key: "W1",
  account: "A001",
  lines: [{ ...line, line: 1, kind: "product", unitPrice: "3.45", net: 690, vat: 138 }],
  net: 690,
  vat: 138,
  visibleAt: 0,
  sequence: 0,
};
const done: Standing = { state: "confirmed", erpOrder: "SO-1", reasons: [] };

function judged({
  documents = [held],
  standing = done,
  refused = [],
  tampered = [],
}: {
  readonly documents?: readonly HeldDocument[];
  readonly standing?: Standing | null;
  readonly refused?: readonly string[];
  readonly tampered?: readonly string[];
}) {
  const evidence: Evidence = {
    agreed: new Map([["W1", order]]),
    standings: new Map(standing === null ? [] : [["W1", standing]]),
    books: { documents, refused: new Set(refused), tampered: new Set(tampered) },
  };
  const all = Object.entries<readonly string[]>({ ...judgeOrders(evidence) });
  return Object.fromEntries(all.filter(([, findings]) => findings.length > 0));
}

test("an order that is there once, as agreed, is no finding", () => {
  expect(judged({})).toEqual({});
});

test("an order that was answered and is nowhere is lost", () => {
  expect(judged({ standing: null, documents: [] })).toEqual({
    lost: ["W1 was answered, and is not in our book"],
  });
  expect(judged({ documents: [] })).toEqual({ lost: ["W1 (confirmed as SO-1) is no order there"] });
});

test("an order that is there twice is doubled, also when a person is told", () => {
  const documents = [held, { ...held, number: "SO-2" }];
  expect(judged({ documents })).toEqual({
    doubled: ["W1 (confirmed as SO-1) is there as SO-1 and SO-2"],
  });
  const told = { ...done, state: "conflict", reasons: ["There twice."] };
  expect(judged({ documents, standing: told })).toHaveProperty("doubled");
});

test.for([
  [{ account: "A002" }, "account: agreed A001, there A002"],
  [{ lines: [] }, "lines: agreed 1, there 0"],
  [{ net: 691 }, "net in pence: agreed 690, there 691"],
  [{ vat: 139 }, "VAT in pence: agreed 138, there 139"],
  [{ lines: held.lines.map((one) => ({ ...one, code: "DOOR" })) }, "product of line 1"],
  [{ lines: held.lines.map((one) => ({ ...one, quantity: "3" })) }, "quantity of line 1"],
  [{ lines: held.lines.map((one) => ({ ...one, net: 689 })) }, "net in pence of line 1"],
] as const)("an order that differs there by %j is changed", ([change, says]) => {
  const found = judged({ documents: [{ ...held, ...change }] });
  expect(Object.keys(found)).toEqual(["changed"]);
  expect(found["changed"]?.[0]).toContain(says);
});

test("an order that nobody acts on is stuck; one at a person says why", () => {
  for (const state of ["queued", "sending", "handedOver", "inDoubt", "held"])
    expect(judged({ standing: { ...done, state, erpOrder: null } })).toHaveProperty("stuck");
  const asks = { state: "inDoubt", erpOrder: null, reasons: ["It may have arrived."] };
  expect(Object.keys(judged({ standing: asks }))).toEqual(["forPerson"]);
});

test("what the ERP refused or changed itself must be shown as that", () => {
  const refusal = { state: "refused", erpOrder: null, reasons: ["It refused it."] };
  const refused = { documents: [], refused: ["W1"] };
  expect(judged({ ...refused, standing: refusal })).toEqual({});
  expect(judged({ ...refused, standing: done })).toHaveProperty("unaccounted");
  const conflict = { ...done, state: "conflict", reasons: ["Dearer there."] };
  expect(judged({ tampered: ["W1"], standing: conflict })).toEqual({});
  expect(judged({ tampered: ["W1"] })).toHaveProperty("changed");
});

test("what nobody ordered is found, here and there", () => {
  const documents = [held, { ...held, key: "W2", number: "SO-2" }];
  expect(judged({ documents })).toEqual({
    unaccounted: ["W2 is in the ERP, and nobody ordered it"],
  });
});
