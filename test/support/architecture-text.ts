/** What a file may not say: clocks in pure code, connectors' names, the environment, mocks. */
import type { Finding, Parsed, World } from "./architecture.ts";
import { PURE, placeOf } from "./architecture-imports.ts";
import type { Place } from "./architecture-imports.ts";
import type { Token } from "./tokens.ts";

const MOST_COLUMNS = 100;

/** Connectors whose name is also an everyday word; these count only as a whole string. */
const EVERYDAY_WORDS = new Set(["csv"]);
const VAGUE_FOLDERS = new Set(["utils", "helpers", "common", "types", "services"]);

export function textFindings(file: Parsed, world: World): readonly Finding[] {
  const place = placeOf(file.path);
  return [
    ...worldly(file, place),
    ...environment(file, place),
    ...(place.kind === "module" ? connectorNames(file, world) : []),
    ...mocks(file, place),
    ...measures(file),
    ...folders(file),
  ];
}

/** Phrases of tokens that reach for clock, chance, network or process. */
const WORLDLY: readonly (readonly string[])[] = [
  ["Date", ".", "now"],
  ["new", "Date", "(", ")"],
  ["Math", ".", "random"],
  ["Temporal", ".", "Now"],
  ["performance", ".", "now"],
  ["crypto", ".", "randomUUID"],
  ["crypto", ".", "randomUUIDv7"],
  ["crypto", ".", "getRandomValues"],
  ["fetch", "("],
  ["setTimeout", "("],
  ["setInterval", "("],
  ["process", "."],
];
/** Its host gives a connector its clock, its secrets and its chance. */
const NOT_FOR_CONNECTORS = WORLDLY.filter(([first]) => first !== "setTimeout");

function worldly(file: Parsed, place: Place): Finding[] {
  if (place.kind === "module" && PURE.has(place.name))
    return phrases(file, WORLDLY).map(({ line, phrase }) => ({
      file: file.path,
      line,
      rule: "pure",
      found: `${place.name} is pure and says ${phrase}`,
      instruction: "Take the moment, the number or the value as a parameter.",
    }));
  if (place.kind === "connector")
    return phrases(file, NOT_FOR_CONNECTORS).map(({ line, phrase }) => ({
      file: file.path,
      line,
      rule: "connector-world",
      found: `connector ${place.name} says ${phrase}`,
      instruction: "Use what the host gives: now(), secret(), signal, log().",
    }));
  return [];
}

function phrases(
  { tokens }: Parsed,
  wanted: readonly (readonly string[])[],
): { line: number; phrase: string }[] {
  return tokens.flatMap((token, index) => {
    if (token.kind !== "word" || tokens[index - 1]?.text === ".") return [];
    const phrase = wanted.find((words) => startsWith(tokens, index, words));
    return phrase === undefined
      ? []
      : [{ line: token.line, phrase: phrase.join("").replace("new", "new ") }];
  });
}

function startsWith(tokens: readonly Token[], at: number, words: readonly string[]): boolean {
  return words.every((word, offset) => {
    const token = tokens[at + offset];
    return token !== undefined && token.kind !== "string" && token.text === word;
  });
}

function environment(file: Parsed, place: Place): Finding[] {
  if (place.kind === "test" || file.path === "src/config.ts") return [];
  if (file.path.startsWith("src/config/")) return [];
  // Programs of a shop's own, which has no settings of ours.
  if (file.path.startsWith("deploy/examples/")) return [];
  const said = file.tokens.filter(
    (token, index) => token.kind === "word" && token.text === "env" && isProcessEnv(file, index),
  );
  const imported = file.imports.filter(
    ({ from, names }) => /^(?:node:)?process$/.test(from ?? "") && names.includes("env"),
  );
  return [...said, ...imported].map(({ line }) => ({
    file: file.path,
    line,
    rule: "environment",
    found: "reads process.env",
    instruction: "Only src/config.ts reads the environment; take the value from the settings.",
  }));
}

function isProcessEnv({ tokens }: Parsed, index: number): boolean {
  const [before, dot] = [tokens[index - 2]?.text, tokens[index - 1]?.text];
  if ((dot === "." || dot === "?.") && before === "process") return true;
  // `const { env } = process`
  const close = tokens.findIndex((token, at) => at > index && token.text === "}");
  return tokens[close + 1]?.text === "=" && tokens[close + 2]?.text === "process";
}

function connectorNames(file: Parsed, world: World): Finding[] {
  return world.connectors.flatMap((name) => {
    const word = new RegExp(`(?<![\\w-])${name.replaceAll("-", "[-_ ]?")}(?![\\w-])`, "i");
    const folder = `connectors/${name}`;
    const names = (token: Token, isCode: boolean): boolean => {
      if (token.text.includes(folder)) return true;
      const whole = token.kind === "string" || token.kind === "template";
      if (EVERYDAY_WORDS.has(name)) return isCode && whole && token.text === name;
      return word.test(token.text);
    };
    const said = [
      ...file.tokens.filter((token) => names(token, true)),
      ...file.comments.filter((comment) => names(comment, false)),
    ];
    return said.map(({ line }): Finding => ({
      file: file.path,
      line,
      rule: "connector-name",
      found: `names the connector "${name}"`,
      instruction: "A connector is known by its settings only; say what it must be able to do.",
    }));
  });
}

function mocks(file: Parsed, place: Place): Finding[] {
  if (place.kind !== "test") return [];
  return phrases(file, [
    ["vi", ".", "mock"],
    ["vi", ".", "doMock"],
  ]).map(({ line, phrase }) => ({
    file: file.path,
    line,
    rule: "no-mocks",
    found: `says ${phrase}`,
    instruction: "Use the real module, a real database and a simulator that misbehaves.",
  }));
}

/** Code is wrapped by the formatter; this is about comments, which it leaves alone. */
function measures(file: Parsed): Finding[] {
  const lines = file.text.split("\n");
  return file.comments.flatMap(({ line: first, text }) =>
    text.split("\n").flatMap((_, index) => {
      const line = first + index;
      const columns = lines[line - 1]?.length ?? 0;
      if (columns <= MOST_COLUMNS) return [];
      return [
        {
          file: file.path,
          line,
          rule: "columns" as const,
          found: `${columns} columns, and ${MOST_COLUMNS} fit`,
          instruction: "Break the line.",
        },
      ];
    }),
  );
}

function folders(file: Parsed): Finding[] {
  const vague = file.path.split("/").find((part) => VAGUE_FOLDERS.has(part.replace(/\.ts$/, "")));
  if (vague === undefined) return [];
  return [
    {
      file: file.path,
      line: 1,
      rule: "folder-name",
      found: `"${vague}" says nothing about what is in it`,
      instruction: "Name it after the trade's word for what it holds.",
    },
  ];
}
