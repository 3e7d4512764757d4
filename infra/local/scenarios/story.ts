import colors from 'picocolors';
import { realNow } from '../movable-date.ts';

/** One step of a story, as it is printed and as `--json` gives it. */
export interface Step {
  title: string;
  elapsedMs: number;
  ok: boolean;
  lines: string[];
}

/** What a scenario tells while it runs. A claim that does not hold ends the scenario with exit code 1. */
export interface Story {
  /** Runs one step and prints it with the time it took. */
  step<T>(title: string, act: (say: (line: string) => void) => Promise<T>): Promise<T>;
  /** Holds, or ends the step with this sentence. */
  claim(holds: boolean, sentence: string): void;
  /** What the story has shown; printed at the end. */
  proven(sentence: string): void;
}

export interface Told {
  scenario: string;
  ok: boolean;
  elapsedMs: number;
  steps: Step[];
  proven: string[];
  failure?: string;
}

export class BrokenClaim extends Error {}

/** Runs `tell` as a story. With `print` absent nothing is written, and the result says it all. */
export async function runStory(
  scenario: string,
  tell: (story: Story) => Promise<void>,
  print?: (line: string) => void,
): Promise<Told> {
  const startedAt = realNow();
  const steps: Step[] = [];
  const proven: string[] = [];
  const story: Story = {
    async step(title, act) {
      const stepStartedAt = realNow();
      const lines: string[] = [];
      print?.(`\n${colors.bold(title)}`);
      const say = (line: string) => {
        lines.push(line);
        print?.(`  ${line}`);
      };
      let ok = false;
      try {
        const result = await act(say);
        ok = true;
        return result;
      } finally {
        const elapsedMs = realNow() - stepStartedAt;
        steps.push({ title, elapsedMs, ok, lines });
        const seconds = `${(elapsedMs / 1000).toFixed(1)} s`;
        print?.(
          ok ? `  ${colors.green('done')} ${colors.dim(seconds)}` : `  ${colors.red('failed')} ${colors.dim(seconds)}`,
        );
      }
    },
    claim(holds, sentence) {
      if (!holds) throw new BrokenClaim(sentence);
    },
    proven: (sentence) => void proven.push(sentence),
  };
  let failure: string | undefined;
  try {
    await tell(story);
  } catch (error) {
    failure = error instanceof BrokenClaim ? error.message : String(error instanceof Error ? error.stack : error);
  }
  const told: Told = {
    scenario,
    ok: failure === undefined,
    elapsedMs: realNow() - startedAt,
    steps,
    proven,
    ...(failure === undefined ? {} : { failure }),
  };
  if (print) conclude(told, print);
  return told;
}

function conclude({ scenario, ok, elapsedMs, proven, failure }: Told, print: (line: string) => void): void {
  const seconds = `${(elapsedMs / 1000).toFixed(1)} s`;
  if (!ok) {
    print(`\n${colors.red(`Scenario ${scenario} failed`)} after ${seconds}: ${failure}`);
    return;
  }
  print(`\n${colors.green(`Scenario ${scenario} proved`)} in ${seconds}:`);
  for (const sentence of proven) print(`  - ${sentence}`);
}
