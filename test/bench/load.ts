import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageFiles } from '../../infra/build/package-files.ts';
import { zip } from '../../infra/build/zip.ts';
import {
  buildEmptyApp,
  contentsOf,
  type Loaded,
  lateModules,
  loadBundle,
  loadedWith,
  MAIN,
  shippedMetafile,
} from '../support/bundle.ts';
import { median, type Row } from './table.ts';

const ROUNDS = 21;

/** Load time of the shipped bundle as ratios to an empty app and to the same code loaded at once; sizes. */
export async function loadTime(root: string, settings: Record<string, string>): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-load-'));
  try {
    const apps = { shipped: join(root, MAIN), empty: join(directory, 'empty.mjs'), atOnce: join(directory, 'all.mjs') };
    await buildEmptyApp(root, apps.empty);
    writeFileSync(apps.atOnce, everythingOfOurs(root));
    const load = (app: string) => loadBundle(root, settings, app);
    for (const app of Object.values(apps)) load(app);
    // Taken in turns, each time in another order, and compared within a turn: whatever else the machine does meets all alike.
    const turns = Array.from({ length: ROUNDS }, (_, turn) => {
      const order = turn % 2 === 0 ? Object.entries(apps) : Object.entries(apps).toReversed();
      return Object.fromEntries(order.map(([name, app]) => [name, load(app)])) as Record<keyof typeof apps, Loaded>;
    });
    const ratio = (named: string, other: 'empty' | 'atOnce', unit: 'ms' | 'processorMs'): Row => {
      const [ours, theirs] = [
        median(turns.map((each) => each.shipped[unit])),
        median(turns.map((each) => each[other][unit])),
      ];
      const detail = `medians of ${ROUNDS}: ${ours.toFixed(0)} ms and ${theirs.toFixed(0)} ms`;
      return [named, `${median(turns.map((each) => each.shipped[unit] / each[other][unit])).toFixed(2)} x`, detail];
    };
    return [
      ratio('load time of the bundle, as a ratio to an empty app', 'empty', 'ms'),
      ratio('  of the processor alone', 'empty', 'processorMs'),
      ratio('load time of the bundle, as a ratio to all of our code at once', 'atOnce', 'ms'),
      ratio('  of the processor alone', 'atOnce', 'processorMs'),
      ...sizes(root),
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** An app that loads at start whatever of ours the bundle loads late; SDKs stay late, as they always were. */
function everythingOfOurs(root: string): string {
  const files = [MAIN, ...Object.values(lateModules(shippedMetafile(root)))];
  return files.map((file) => `import ${JSON.stringify(pathToFileURL(join(root, file)).href)};\n`).join('');
}

function sizes(root: string): Row[] {
  const metafile = shippedMetafile(root);
  const bytesOf = (files: string[]) => files.reduce((sum, file) => sum + (metafile.outputs[file]?.bytes ?? 0), 0);
  const all = Object.keys(metafile.outputs).filter((file) => file.endsWith('.js'));
  const atStart = loadedWith(metafile, MAIN);
  const shipped = packageFiles(root).map((path) => ({ path, bytes: readFileSync(join(root, path)) }));
  const unpacked = shipped.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return [
    ['bundle, all chunks', `${megabytes(bytesOf(all))} MB`, `${all.length} files`],
    [
      'bundle, loaded at start',
      `${megabytes(bytesOf(atStart))} MB`,
      `${atStart.length} files, ${contentsOf(metafile, atStart).ours.length} modules of ours`,
    ],
    ['package', `${megabytes(unpacked)} MB`, `${shipped.length} files, packed ${megabytes(zip(shipped).length)} MB`],
  ];
}

const megabytes = (bytes: number) => (bytes / 1_048_576).toFixed(2);
