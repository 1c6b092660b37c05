/** Commands that texts name, and what would keep them from running as they are printed. */
import { globSync, readFileSync } from "node:fs";
import type { Command } from "commander";
import { tradepostCommand } from "../../src/cli.ts";

const TOP = tradepostCommand().commands.map((command) => command.name());

/** Each with the file that names it; what is put in when it is printed stands as VALUE. */
export function printedCommands(): { readonly file: string; readonly command: string }[] {
  const sources = globSync("src/**/*.ts", { exclude: ["src/store/generated/**"] });
  const pages = globSync(["README.md", "src/**/README.md"]);
  const of = (file: string, text: string, pattern: RegExp) =>
    [...text.matchAll(pattern)].map((found) => ({ file, command: (found[1] ?? "").trim() }));
  return [
    ...sources.flatMap((file) => of(file, asSaid(readFileSync(file, "utf8")), NAMED)),
    // What a page names without options is a command's name; with brackets it is its grammar.
    ...pages.flatMap((file) => of(file, readFileSync(file, "utf8"), SPELT)),
  ];
}

const NAMED = new RegExp(`\\btradepost ((?:${TOP.join("|")})\\b(?: (?:[\\w/:+-]+|"…"))*)`, "g");
const SPELT = new RegExp(`\`(?:tradepost )?((?:${TOP.join("|")}) [^\`[|…<]*--[^\`[|…<]+)\``, "g");

/** Source as it is printed: without comments, texts joined, values in place of what makes them. */
function asSaid(source: string): string {
  return source
    .replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "")
    .replaceAll(/(\w?)\$\{(?:[^{}]|\{[^{}]*\})*\}/g, (_, before: string) =>
      before === "" ? "VALUE" : `${before} VALUE`,
    )
    .replaceAll(/["`]\s*\+\s*["`]/g, "");
}

/** Null: it would run. */
export function whyNot(program: Command, printed: string): string | null {
  const words = printed.split(" ");
  let command = program;
  const named = () => command.commands.find((one) => one.name() === words[0]);
  for (let next = named(); next !== undefined; next = named()) {
    command = next;
    words.shift();
  }
  if (command === program) return "there is no such command";
  const byDefault: unknown = Reflect.get(command, "_defaultCommandName");
  command = command.commands.find((one) => one.name() === byDefault) ?? command;
  const options = [...command.options, ...program.options];
  const given: string[] = [];
  const rest: string[] = [];
  while (words.length > 0) {
    const word = words.shift() ?? "";
    const option = options.find(({ long }) => long === word);
    if (option === undefined && word.startsWith("--")) return `it has no option ${word}`;
    if (option === undefined) rest.push(word);
    else given.push(option.long ?? "");
    if (option?.required === true && words.shift() === undefined) return `${word} has no value`;
  }
  const wanted = command.registeredArguments.filter(({ required }) => required);
  if (rest.length > command.registeredArguments.length) return `${rest.join(" ")} is too much`;
  if (rest.length < wanted.length) return `${wanted[rest.length]?.name()} is missing`;
  const left = options.filter(({ mandatory, long }) => mandatory && !given.includes(long ?? ""));
  return left.length === 0 ? null : `${left.map(({ long }) => long).join(", ")} is missing`;
}
