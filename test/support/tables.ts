/** Cases as aligned text: a header line, and columns that begin where its words begin. */

/** Rows of a table as objects of texts; a blank cell is "". */
export function table(text: string): Record<string, string>[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const [header = "", ...rows] = lines;
  const columns = [...header.matchAll(/\S+/g)].map(({ 0: name, index }) => ({ name, index }));
  return rows.map((row) =>
    Object.fromEntries(
      columns.map(({ name, index }, position) => {
        const end = columns[position + 1]?.index ?? row.length;
        if (index > 0 && index <= row.length && row[index - 1] !== " ")
          throw new Error(`a cell runs into column "${name}" of the table: ${row}`);
        return [name, row.slice(index, end).trim()];
      }),
    ),
  );
}
