import { readFileSync } from 'node:fs';
import { startEstate } from '../../infra/local/estate-run.ts';
import { createObserver } from '../../infra/local/scenarios/observer.ts';
import { median, type Row } from './table.ts';

const KEYS = 5_000;
const SWEEPS = 20;
/** The first sweeps warm the process up. */
const WARM = 4;

/** HSM calls, time and memory of a sweep over a full HSM of keys that are not due. */
export async function sweep(): Promise<Row[]> {
  const estate = await startEstate({ seed: 'empty', port: 0 });
  try {
    const [hsm] = estate.hsms;
    if (!hsm) throw new Error('the estate has no HSM');
    for (let index = 0; index < KEYS; index++) {
      await hsm.plant({
        name: `key-${String(index).padStart(4, '0')}`,
        kty: 'EC-HSM',
        crv: 'P-256',
        created: '-P60D',
        expires: 'P305D',
        tags: { owner: 'payments@contoso.example' },
        rotationPolicy: { expiryTime: 'P1Y' },
      });
    }
    const look = createObserver(estate);
    const runs: { calls: number; ms: number; megabytes: number }[] = [];
    for (let run = 0; run < SWEEPS; run++) {
      const before = hsm.keys().calls.total;
      const startedAt = performance.now();
      await estate.runTimer('expirySweepTimer');
      await look.settled();
      runs.push({
        calls: hsm.keys().calls.total - before,
        ms: performance.now() - startedAt,
        megabytes: residentMegabytes(estate.host?.pid ?? 0),
      });
    }
    const calls = Math.max(...runs.map((each) => each.calls));
    const seconds = median(runs.map((each) => each.ms)) / 1000;
    const first = runs[WARM]?.megabytes ?? 0;
    const last = runs.at(-1)?.megabytes ?? 0;
    return [
      [`HSM calls of a sweep of ${KEYS} keys`, String(calls), `${KEYS / 25} pages; at most 210`],
      [
        'sweep, seconds for 1,000 keys',
        (seconds / (KEYS / 1000)).toFixed(2),
        `${seconds.toFixed(1)} s in all, emulated HSM on the same machine`,
      ],
      [
        `host memory, sweep ${SWEEPS} against sweep ${WARM + 1}`,
        `${(last / first).toFixed(2)} x`,
        `${first.toFixed(0)} and ${last.toFixed(0)} MB resident`,
      ],
    ];
  } finally {
    await estate.stop();
  }
}

function residentMegabytes(pid: number): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? Number.NaN) / 1024;
}
