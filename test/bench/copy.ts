import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startEstate } from '../../infra/local/estate-run.ts';
import { IDENTITIES } from '../../infra/local/identity/registrations.ts';
import type { Row } from './table.ts';

/** The size that the promise is made for; BENCH_COPY_MB makes it smaller. */
const MEGABYTES = Number(process.env.BENCH_COPY_MB ?? 2048);

/** Copying and hashing a backup of gigabytes: throughput against a bare copy in the same run, and memory of the process. */
export async function copy(): Promise<Row[]> {
  const estate = await startEstate({ seed: 'empty', port: 0, host: false, blobsOnDisk: true });
  try {
    const child = fileURLToPath(new URL('bench-copy.js', import.meta.url));
    const measure = async (mode: string) => {
      const parameters = [
        `${estate.ready.blobLanding}/hsm-backups`,
        estate.ready.blobVault,
        IDENTITIES.backup.clientId,
        String(MEGABYTES),
      ];
      const { stdout } = await promisify(execFile)(process.execPath, [child, mode, ...parameters], {
        env: { ...process.env, ...estate.ready.env },
      });
      return JSON.parse(stdout) as { ms: number; peakMegabytes: number };
    };
    await measure('prepare');
    const idle = await measure('idle');
    const bare = await measure('bare');
    const ours = await measure('ours');
    const rate = ({ ms }: { ms: number }) => MEGABYTES / (ms / 1000);
    const memory = ({ peakMegabytes }: { peakMegabytes: number }) => `${peakMegabytes.toFixed(0)} MB`;
    return [
      [
        `copy and hash of ${MEGABYTES} MB, as a ratio to a bare copy`,
        `${(rate(ours) / rate(bare)).toFixed(2)} x`,
        `${rate(ours).toFixed(0)} and ${rate(bare).toFixed(0)} MB/s`,
      ],
      ['peak memory of the copying process', memory(ours), `bare copy ${memory(bare)}, idle ${memory(idle)}`],
    ];
  } finally {
    await estate.stop();
  }
}
