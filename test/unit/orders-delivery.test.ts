import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isDraft, isOrderNumber } from "../../src/orders/compare.ts";
import { nextStep, type Evidence } from "../../src/orders/delivery/next-step.ts";
import { waitSeconds } from "../../src/orders/delivery/patience.ts";
import { quietWindow } from "../../src/orders/delivery/window.ts";

const KNOWN: Evidence = {
  finding: "searchable",
  doubt: null,
  mayPlace: true,
  dropped: false,
  windowSeconds: 120,
  search: "none",
  canary: "none",
  searchedSince: false,
  doubled: false,
  mostTries: 8,
};
const DOUBT = { quietSeconds: 0, placings: 1, searches: 0 };

const step = (known: Partial<Evidence>) => nextStep({ ...KNOWN, ...known });

const evidence: fc.Arbitrary<Evidence> = fc.record({
  finding: fc.constantFrom("native-key", "searchable", "eventually-searchable", "file-drop"),
  doubt: fc.option(
    fc.record({
      quietSeconds: fc.double({ min: -600, max: 100_000, noNaN: true }),
      placings: fc.integer({ min: 1, max: 20 }),
      searches: fc.integer({ min: 0, max: 40 }),
    }),
  ),
  mayPlace: fc.boolean(),
  dropped: fc.boolean(),
  windowSeconds: fc.double({ min: 0, max: 7200, noNaN: true }),
  search: fc.constantFrom("none", "absent", "present", "draft", "several", "cannotTell"),
  canary: fc.constantFrom("none", "found", "missing", "unknown"),
  searchedSince: fc.boolean(),
  doubled: fc.boolean(),
  mostTries: fc.integer({ min: 1, max: 12 }),
});

describe("what is done next with an order", () => {
  test("find before place: what nobody has sent is searched for, and then placed", () => {
    expect(step({})).toEqual({ step: "find" });
    expect(step({ search: "absent" })).toEqual({ step: "place" });
    expect(step({ search: "present" })).toEqual({ step: "record" });
  });

  test("after anything unclear only find decides: not there is believed after the quiet window and a canary", () => {
    const searched = { doubt: { ...DOUBT, quietSeconds: 30 }, search: "absent" } as const;
    expect(step(searched)).toEqual({
      step: "wait",
      withinSeconds: 90,
      why: "it may still turn up for 90 s",
    });
    const quiet = { ...searched, doubt: { ...DOUBT, quietSeconds: 120 } };
    expect(step(quiet)).toEqual({ step: "canary" });
    expect(step({ ...quiet, canary: "missing" })).toMatchObject({ step: "wait" });
    expect(step({ ...quiet, canary: "unknown" })).toMatchObject({ step: "wait" });
    // Blind for a moment, and sighted when the canary was looked for.
    expect(step({ ...quiet, canary: "found" })).toEqual({ step: "find" });
    const again = { ...quiet, canary: "found", searchedSince: true } as const;
    expect(step(again)).toEqual({ step: "place" });
    // A double that somebody keyed makes a search doubtful, and no journal.
    expect(step({ ...again, doubled: true })).toMatchObject({ step: "person" });
    expect(step({ ...again, doubled: true, finding: "file-drop" })).toEqual({ step: "place" });
  });

  test("the ERP that knows the key is told again at once, and not for ever", () => {
    const native = { finding: "native-key", doubt: DOUBT } as const;
    expect(step(native)).toEqual({ step: "place" });
    expect(step({ ...native, doubt: { ...DOUBT, placings: 2 } })).toEqual({ step: "find" });
    expect(step({ ...native, mayPlace: false })).toEqual({ step: "find" });
    const often = { ...native, doubt: { ...DOUBT, placings: 8 }, search: "absent" } as const;
    expect(step(often)).toMatchObject({ step: "person" });
  });

  test("cannot tell: a person, after as many searches as patience has", () => {
    const asked = { doubt: { ...DOUBT, searches: 15 }, search: "cannotTell" } as const;
    expect(step(asked)).toMatchObject({ step: "wait", withinSeconds: null });
    expect(step({ ...asked, doubt: { ...DOUBT, searches: 16 } })).toMatchObject({ step: "person" });
  });

  test("a file that was dropped is never dropped again by itself", () => {
    fc.assert(
      fc.property(evidence, (known) => {
        expect(nextStep({ ...known, dropped: true }).step).not.toBe("place");
      }),
    );
  });

  test("nothing is sent that may be there already, whatever is known", () => {
    fc.assert(
      fc.property(evidence, (known) => {
        if (nextStep(known).step !== "place") return;
        const { doubt } = known;
        expect(["none", "absent"]).toContain(known.search);
        if (known.finding === "native-key" && doubt !== null) return;
        expect(known.search).toBe("absent");
        if (doubt === null) return;
        expect(doubt.quietSeconds).toBeGreaterThanOrEqual(known.windowSeconds);
        expect([known.canary, known.searchedSince]).toEqual(["found", true]);
      }),
      { numRuns: 5_000 },
    );
  });

  test("an order that a search shows, once or more often, is always written down", () => {
    fc.assert(
      fc.property(evidence, fc.constantFrom("present", "several"), (known, search) => {
        expect(nextStep({ ...known, search })).toEqual({ step: "record" });
      }),
    );
  });
});

describe("the quiet window", () => {
  test("is never below its floor, and twice as long as the slowest order took", () => {
    expect(quietWindow(120, [])).toBe(120);
    expect(quietWindow(10, [{ absentSeconds: 20, seenSeconds: 30 }])).toBe(60);
    expect(quietWindow(120, [{ absentSeconds: 20, seenSeconds: 30 }])).toBe(120);
  });

  test("learns nothing from a time in which nobody looked", () => {
    // Missed after ten seconds, found the next morning: it was there long before.
    expect(quietWindow(10, [{ absentSeconds: 10, seenSeconds: 40_000 }])).toBe(60);
  });

  test("only grows by what took longer", () => {
    const lag = fc.record({
      absentSeconds: fc.double({ min: 0, max: 5_000, noNaN: true }),
      seenSeconds: fc.double({ min: 0, max: 9_000, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(lag, { maxLength: 40 }), lag, (lags, one) => {
        expect(quietWindow(5, [one, ...lags])).toBeGreaterThanOrEqual(quietWindow(5, lags));
      }),
    );
  });
});

test("tries are ever further apart, up to the longest, and spread by the order", () => {
  const patience = { firstSeconds: 5, longestSeconds: 3_600 };
  const waits = Array.from({ length: 14 }, (_, at) => waitSeconds("W", at + 1, patience));
  for (const [at, wait] of waits.entries()) {
    const least = Math.min(3_600, 5 * 2 ** at);
    expect(wait).toBeGreaterThanOrEqual(least);
    expect(wait).toBeLessThanOrEqual(1.5 * least);
  }
  const spread = new Set(Array.from({ length: 50 }, (_, at) => waitSeconds(`W${at}`, 3, patience)));
  expect(spread.size).toBeGreaterThan(40);
});

test.each(["", "  ", "TBA", "tba", "Tbc", "draft", "N/A", "0", "000", "?", "-", "null"])(
  "%j is no number of an order",
  (number) => {
    expect(isOrderNumber(number)).toBe(false);
  },
);

test.each(["SO1", "0000123", "100", "T-1", "DRAFT-7"])("%j is the number of an order", (number) => {
  expect(isOrderNumber(number)).toBe(true);
  expect(isDraft({ erpOrder: number, state: "Draft" })).toBe(true);
  expect(isDraft({ erpOrder: number, state: "open" })).toBe(false);
});
