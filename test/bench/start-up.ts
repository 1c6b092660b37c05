/** U1: from the start of the service's process to ready, on a database prepared and warm. */
import type { Bench } from "./main.ts";
import { median } from "./measure.ts";
import type { Figure } from "./report.ts";
import { preparedFolder, startService } from "./service.ts";

export async function measureStart(bench: Bench): Promise<Figure[]> {
  await preparedFolder(bench);
  const starts: { readonly seconds: number; readonly cpu: number }[] = [];
  for (let round = 0; round <= bench.rounds; round += 1) {
    await using service = await startService(bench);
    bench.say(`start, round ${round}: ready after ${(service.readyMs / 1000).toFixed(2)} s`);
    // The first start warms what the operating system keeps of files.
    if (round > 0) starts.push({ seconds: service.readyMs / 1000, cpu: service.readyCpuSeconds });
  }
  const seconds = median(starts.map((start) => start.seconds));
  return [
    {
      row: "U1",
      work: `start to ready, ${bench.rules} price rules, own database`,
      ours: `${seconds.toFixed(2)} s`,
      limit: "–",
      ratio: null,
      goal: { of: seconds, atMost: 2, words: "≤ 2 s" },
    },
    {
      row: "U1",
      work: "CPU of the service's process until then",
      ours: `${median(starts.map(({ cpu }) => cpu)).toFixed(2)} s`,
      limit: "–",
      ratio: null,
      goal: null,
    },
  ];
}
