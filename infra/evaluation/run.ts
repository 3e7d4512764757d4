import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { DEFAULTS } from '../traffic/parameters.ts';
import { judgeSeed, type SeedResult, TOOLS } from './judge-seed.ts';
import { printReport } from './report.ts';
import { missedTargets, summarise } from './summary.ts';

const USAGE = `Usage: npm run evaluate -- [--seeds 100-119] [--weeks 4] [--hsms 1] [--attacks S1,S7] [--workers 1] [--json] [--gate]
  --seeds    one seed, a list or a range; 0-99 are for tuning, 100-199 for reports
  --weeks    weeks that are judged, after four weeks of history
  --hsms     HSMs of each seed
  --attacks  only these scenarios, S1 to S23
  --workers  threads; more is faster and changes nothing
  --json     figures instead of the table
  --gate     exit 1 when a target is missed`;

interface Job {
  seed: number;
  index: number;
  weeks: number;
  only?: string[];
}

const judge = ({ seed, index, weeks, only }: Job): SeedResult =>
  judgeSeed(seed, index, { parameters: { ...DEFAULTS, weeks }, ...(only ? { only } : {}) });

if (isMainThread) process.exitCode = await main();
else {
  for (const job of (workerData as { jobs: Job[] }).jobs) parentPort?.postMessage(judge(job));
}

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === 'string') {
    console.error(`${options}\n\n${USAGE}`);
    return 2;
  }
  const { jobs, workers, json, gate, seeds } = options;
  const startedAt = performance.now();
  const done = (count: number) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${count} of ${jobs.length} HSMs`);
  };
  const results = await inThreads(jobs, workers, done);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const seconds = (performance.now() - startedAt) / 1000;
  const ours = summarise(results, 'ours');
  if (json) {
    const tools = Object.fromEntries(TOOLS.map((tool) => [tool, summarise(results, tool)]));
    console.log(JSON.stringify({ seeds, seconds, tools, missedTargets: missedTargets(ours) }, null, 2));
  } else {
    const threads = workers > 1 ? `, ${workers} threads` : '';
    console.log(
      printReport(results, { seeds, seconds, processor: `${cpus()[0]?.model.trim() ?? 'this machine'}${threads}` }),
    );
  }
  return gate && missedTargets(ours).length > 0 ? 1 : 0;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100-119' },
      weeks: { type: 'string', default: '4' },
      hsms: { type: 'string', default: '1' },
      workers: { type: 'string', default: '1' },
      attacks: { type: 'string' },
      json: { type: 'boolean', default: false },
      gate: { type: 'boolean', default: false },
    },
  });
  const seeds = values.seeds.split(',').flatMap((each) => {
    const range = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(each.trim());
    const [first, last] = [Number(range?.[1] ?? Number.NaN), Number(range?.[2] ?? range?.[1] ?? Number.NaN)];
    return Number.isNaN(first) || last - first > 10_000
      ? [Number.NaN]
      : Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
  const whole = (text: string, most: number) =>
    /^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= most ? Number(text) : undefined;
  const [weeks, hsms, workers] = [
    whole(values.weeks, 52),
    whole(values.hsms, 100),
    whole(values.workers, availableParallelism()),
  ];
  const only = values.attacks?.split(',').map((name) => name.trim().toUpperCase());
  if (seeds.length === 0 || seeds.some(Number.isNaN))
    return `--seeds ${values.seeds} is a seed, a list or a range, such as 100-119`;
  if (weeks === undefined) return `--weeks ${values.weeks} is a number from 1 to 52`;
  if (hsms === undefined) return `--hsms ${values.hsms} is a number from 1 to 100`;
  if (workers === undefined)
    return `--workers ${values.workers} is a number from 1 to ${availableParallelism()}, the processors here`;
  const unknown = only?.find((name) => !/^S([1-9]|1\d|2[0-3])$/.test(name));
  if (unknown !== undefined) return `--attacks ${unknown} is none of S1 to S23`;
  const jobs: Job[] = seeds.flatMap((seed) =>
    Array.from({ length: hsms }, (_, index) => ({ seed, index, weeks, ...(only ? { only } : {}) })),
  );
  return { jobs, workers, seeds: values.seeds, json: values.json, gate: values.gate };
}

async function inThreads(jobs: readonly Job[], workers: number, done: (count: number) => void): Promise<SeedResult[]> {
  const results: SeedResult[] = [];
  const part = (index: number) => jobs.filter((_, at) => at % workers === index);
  const runs = Array.from({ length: Math.min(workers, jobs.length) }, (_, index) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { jobs: part(index) } });
    return new Promise<void>((resolve, reject) => {
      worker.on('message', (result: SeedResult) => done(results.push(result)));
      worker.on('error', reject);
      worker.on('exit', () => resolve());
    });
  });
  await Promise.all(runs);
  return results.sort((left, right) => left.seed - right.seed || (left.hsm < right.hsm ? -1 : 1));
}
