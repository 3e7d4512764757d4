import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const root = new URL('..', import.meta.url).pathname;

/** Every import of every source file, as written in the compiler's own reading of it. Local targets are paths from the root. */
const graph = ['functions', 'shared', 'infra'].flatMap((folder) => sourcesIn(folder).map(importsOf));

interface SourceFile {
  file: string;
  local: { to: string; lazy: boolean; typeOnly: boolean }[];
  packages: { name: string; lazy: boolean; typeOnly: boolean }[];
}

const filesIn = (prefix: string) => graph.filter(({ file }) => file.startsWith(prefix));
const offenders = (files: SourceFile[], isWrong: (target: string, from: SourceFile) => boolean) =>
  files.flatMap((from) => from.local.filter(({ to }) => isWrong(to, from)).map(({ to }) => `${from.file} -> ${to}`));
const packageOffenders = (
  files: SourceFile[],
  isWrong: (target: { name: string; lazy: boolean; typeOnly: boolean }, from: SourceFile) => boolean,
) =>
  files.flatMap((from) =>
    from.packages.filter((each) => isWrong(each, from)).map(({ name }) => `${from.file} -> ${name}`),
  );

/** Every file of ours that a file imports, and those import, through imports that are wanted. */
function reachedFrom(file: string, wanted: (target: SourceFile['local'][number]) => boolean): Set<string> {
  const reached = new Set<string>();
  const follow = (from: string) => {
    if (reached.has(from)) return;
    reached.add(from);
    for (const target of graph.find((each) => each.file === from)?.local ?? []) if (wanted(target)) follow(target.to);
  };
  follow(file);
  return reached;
}

const CAPABILITIES = [
  'keys',
  'policy',
  'rotation',
  'backup',
  'restore',
  'drill',
  'custody',
  'recovery',
  'detection',
  'incident',
  'journal',
  'notification',
  'events',
  'heartbeat',
  'adoption',
  'detection',
  'incident',
];
const ADMIN_CLIENT = 'shared/adapters/azure/keyvault-admin/';
const isCapability = (file: string) => CAPABILITIES.some((name) => file.startsWith(`shared/${name}/`));

describe('the import graph', () => {
  test('was read: main reaches triggers, orchestrators, activities and adapters', () => {
    const reached = [...reachedFrom('functions/main.ts', ({ typeOnly }) => !typeOnly)];
    for (const part of ['triggers', 'orchestrators', 'activities', 'operator'].map((name) => `functions/${name}/`)) {
      expect(reached.filter((file) => file.startsWith(part)).length, part).toBeGreaterThan(5);
    }
    expect(reached.filter((file) => file.startsWith('shared/adapters/')).length).toBeGreaterThan(10);
  });

  test('keeps decisions pure: no ports, adapters, settings, npm packages or Node modules in shared capabilities', () => {
    const capabilities = graph.filter(({ file }) => isCapability(file));
    expect(capabilities.length).toBeGreaterThan(20);
    const allowed = (to: string) => isCapability(to) || /^shared\/(time|time-zone|errors)\.ts$/.test(to);
    expect(offenders(capabilities, (to) => !allowed(to))).toEqual([]);
    expect(
      packageOffenders(
        capabilities,
        ({ name }, { file }) => !(name === 'zod' && file.startsWith('shared/policy/schema')),
      ),
    ).toEqual([]);
  });

  test('keeps ports in our own words: they name capability types and nothing else', () => {
    const ports = filesIn('shared/ports/');
    expect(offenders(ports, (to) => !isCapability(to) && !to.startsWith('shared/ports/'))).toEqual([]);
    expect(packageOffenders(ports, () => true)).toEqual([]);
  });

  test('lets adapters alone know Azure', () => {
    const known = /^@azure\//;
    const elsewhere = graph.filter(({ file }) => !file.startsWith('shared/adapters/') && !file.startsWith('infra/'));
    expect(packageOffenders(elsewhere, ({ name }) => known.test(name) && name !== '@azure/functions')).toEqual([]);
    expect(
      offenders(filesIn('shared/adapters/'), (to) => to.startsWith('functions/') || to.startsWith('infra/')),
    ).toEqual([]);
  });

  test('loads SDKs lazily: an adapter imports a package only inside the function that needs it', () => {
    const adapters = filesIn('shared/adapters/').filter(({ file }) => !file.startsWith(ADMIN_CLIENT));
    expect(
      packageOffenders(adapters, ({ name, lazy, typeOnly }) => !lazy && !typeOnly && !name.startsWith('node:')),
    ).toEqual([]);
    // The administration client stands in for an SDK: it is built on Azure's core libraries, and is itself loaded lazily.
    expect(
      packageOffenders(
        filesIn(ADMIN_CLIENT),
        ({ name }) => !/^(@azure\/(core-|keyvault-common$|identity$)|node:)/.test(name),
      ),
    ).toEqual([]);
    const loadedAtOnce = graph.flatMap(({ file, local }) =>
      file.startsWith(ADMIN_CLIENT)
        ? []
        : local.filter(({ to, lazy, typeOnly }) => to.startsWith(ADMIN_CLIENT) && !lazy && !typeOnly).map(() => file),
    );
    expect(loadedAtOnce).toEqual([]);
  });

  test('keeps orchestrators deterministic: contracts, steps and pure decisions only', () => {
    const orchestrators = filesIn('functions/orchestrators/');
    expect(orchestrators.length).toBeGreaterThan(4);
    const allowed = (to: string) =>
      isCapability(to) ||
      to.startsWith('functions/orchestrators/') ||
      to.startsWith('functions/contracts/') ||
      /^functions\/(steps|instance-ids)\.ts$/.test(to) ||
      to === 'shared/errors.ts';
    expect(offenders(orchestrators, (to) => !allowed(to))).toEqual([]);
    expect(packageOffenders(orchestrators, ({ typeOnly }) => !typeOnly)).toEqual([]);
  });

  test('keeps activities on ports: no adapters, settings, SDKs or durable engine', () => {
    const activities = filesIn('functions/activities/');
    expect(offenders(activities, (to) => to.startsWith('shared/adapters/') || to === 'shared/config.ts')).toEqual([]);
    expect(packageOffenders(activities, () => true)).toEqual([]);
  });

  test('keeps triggers thin: they reach neither ports nor adapters', () => {
    const wrong = (to: string) => to.startsWith('shared/adapters/') || to.startsWith('shared/ports/');
    expect(offenders(filesIn('functions/triggers/'), wrong)).toEqual([]);
  });

  test('has one composition root: only main reads the settings and creates the world, of which alone the adapters are part', () => {
    const others = filesIn('functions/').filter(({ file }) => file !== 'functions/create-world.ts');
    expect(offenders(others, (to) => to.startsWith('shared/adapters/'))).toEqual([]);
    const creators = graph.filter(({ local }) => local.some(({ to }) => to === 'functions/create-world.ts'));
    expect(creators.map(({ file }) => file)).toEqual(['functions/main.ts']);
    const reads = graph.filter(
      ({ file }) => !file.startsWith('infra/') && readFileSync(join(root, file), 'utf8').includes('process.env'),
    );
    expect(reads.map(({ file }) => file)).toEqual(['functions/main.ts']);
  });

  test('loads at start neither what touches the world nor a package beside the platform', () => {
    const eager = reachedFrom('functions/main.ts', ({ lazy, typeOnly }) => !lazy && !typeOnly);
    const late =
      /^(functions\/(activities|capabilities)\/|functions\/contracts\/([a-z]+-)?inputs\.ts|shared\/adapters\/)/;
    expect([...eager].filter((file) => late.test(file) || file === 'functions/create-world.ts')).toEqual([]);
    const atStart = graph.filter(({ file }) => eager.has(file)).flatMap(({ packages }) => packages);
    const loaded = atStart.filter(({ lazy, typeOnly }) => !lazy && !typeOnly).map(({ name }) => name);
    expect([...new Set(loaded)].toSorted()).toEqual(['@azure/functions', 'durable-functions']);
  });

  test('reaches capabilities through the table alone, late', () => {
    const uses = graph.flatMap(({ file, local }) =>
      local.filter(({ to }) => to.startsWith('functions/capabilities/')).map(({ lazy }) => ({ file, lazy })),
    );
    expect(uses.length).toBeGreaterThan(5);
    expect(uses.filter(({ file, lazy }) => file !== 'functions/activity-table.ts' || !lazy)).toEqual([]);
  });

  test('keeps the embedded estate and the app strangers, so that neither hides the mistake of the other', () => {
    expect(offenders(filesIn('infra/local/'), (to) => !to.startsWith('infra/'))).toEqual([]);
    const app = [...filesIn('functions/'), ...filesIn('shared/')];
    expect(offenders(app, (to) => !to.startsWith('functions/') && !to.startsWith('shared/'))).toEqual([]);
    expect(offenders(filesIn('shared/'), (to) => to.startsWith('functions/'))).toEqual([]);
  });

  test('keeps generated traffic a stranger to what is to find something in it', () => {
    const traffic = filesIn('infra/traffic/');
    expect(traffic.length).toBeGreaterThan(10);
    expect(offenders(traffic, (to) => !to.startsWith('infra/traffic/'))).toEqual([]);
    expect(packageOffenders(traffic, () => true)).toEqual([]);
  });

  test('lets the evaluation judge detection alone: generated traffic in, the pure detectors, no port and no estate', () => {
    const evaluation = filesIn('infra/evaluation/');
    expect(evaluation.length).toBeGreaterThan(10);
    const allowed = /^(infra\/evaluation|infra\/traffic|shared\/detection)\//;
    expect(offenders(evaluation, (to) => !allowed.test(to))).toEqual([]);
    expect(packageOffenders(evaluation, ({ name }) => !name.startsWith('node:'))).toEqual([]);
  });

  test('has no import cycle that runs at load time', () => {
    const edges = new Map(
      graph.map(({ file, local }) => [file, local.filter((x) => !x.typeOnly && !x.lazy).map(({ to }) => to)]),
    );
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const walk = (file: string, trail: string[]) => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        cycles.push([...trail.slice(trail.indexOf(file)), file].join(' -> '));
        return;
      }
      state.set(file, 'open');
      for (const to of edges.get(file) ?? []) walk(to, [...trail, file]);
      state.set(file, 'done');
    };
    for (const file of edges.keys()) walk(file, []);
    expect(cycles).toEqual([]);
  });
});

describe('the top level', () => {
  test('holds what the user listed and nothing beside it but dot-files, lock, lint and azd files', () => {
    const listed =
      /^(package(-lock)?\.json|tsconfig\.json|host\.json|functions|shared|infra|test|local\.settings(\.sample)?\.json|README\.md|LICENSE|biome\.json|azure\.yaml|node_modules|dist|\..*)$/;
    expect(readdirSync(root).filter((name) => !listed.test(name))).toEqual([]);
  });
});

function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function importsOf(file: string): SourceFile {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
  const found: { name: string; lazy: boolean; typeOnly: boolean }[] = [];
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      const typeOnly = ts.isImportDeclaration(node)
        ? node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
        : node.isTypeOnly;
      found.push({ name: (node.moduleSpecifier as ts.StringLiteral).text, lazy: false, typeOnly });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [name] = node.arguments;
      if (name && ts.isStringLiteralLike(name)) found.push({ name: name.text, lazy: true, typeOnly: false });
    } else if (
      ts.isImportTypeNode(node) &&
      ts.isLiteralTypeNode(node.argument) &&
      ts.isStringLiteral(node.argument.literal)
    ) {
      found.push({ name: node.argument.literal.text, lazy: false, typeOnly: true });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  const local = found
    .filter(({ name }) => name.startsWith('.'))
    .map(({ name, ...rest }) => ({ ...rest, to: relative(root, join(root, dirname(file), name)) }));
  return { file, local, packages: found.filter(({ name }) => !name.startsWith('.')) };
}
