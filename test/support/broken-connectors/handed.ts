/** A far side in memory that keeps what it is asked to make, beside the healthy stockroom. */
import type { OrderCall } from "../../../src/connector/index.ts";
import type { FarSide, Rig } from "../../../src/connector/conformance/index.ts";
import { opening, rigOf, type Broken } from "./breaking.ts";

export interface Book<Wanted> {
  readonly held: Wanted[];
  losesAnswer: boolean;
}

/** What is made wrongly, or found. */
export type Flaw<Capability, Wanted> = (capability: Capability, book: Book<Wanted>) => Capability;

export interface Kind<Capability, Wanted> {
  readonly name: "accounts" | "returns";
  healthy(book: Book<Wanted>): Capability;
  /** What a rig tells of it. */
  rig(book: Book<Wanted>): Partial<FarSide>;
}

/** Makes broken connectors of one capability; each far side has a book of its own. */
export function breakingOf<Capability, Wanted>(
  kind: Kind<Capability, Wanted>,
): (breaks: string, how: string, flaw: Flaw<Capability, Wanted>) => Broken {
  const books = new Map<string, Book<Wanted>>();
  const bookOf = (settings: unknown): Book<Wanted> => {
    const address = addressOf(settings);
    const book = books.get(address) ?? { held: [], losesAnswer: false };
    books.set(address, book);
    return book;
  };
  const rig: Rig = {
    ...rigOf([]),
    start: async () => {
      const far = await rigOf([]).start();
      // A port may have been another far side's before.
      books.delete(addressOf(far.settings));
      return { ...far, close: () => far.close(), ...kind.rig(bookOf(far.settings)) };
    },
  };
  return (breaks, how, flaw) => {
    const broken = opening(
      breaks,
      how,
      (session, _host, settings) => {
        const book = bookOf(settings);
        return { ...session, [kind.name]: flaw(kind.healthy(book), book) };
      },
      [],
    );
    return { ...broken, rig };
  };
}

const addressOf = (settings: unknown): string => (settings as { readonly baseUrl: string }).baseUrl;

/** True once after the rig was told to lose an answer. */
export function loses<Wanted>(book: Book<Wanted>): boolean {
  const lost = book.losesAnswer;
  book.losesAnswer = false;
  return lost;
}

/** Listens to no signal. */
export const neverEnding = <Answer>(
  call: OrderCall | undefined,
  otherwise: () => Promise<Answer>,
): Promise<Answer> => (call?.signal.aborted === true ? new Promise(() => {}) : otherwise());
