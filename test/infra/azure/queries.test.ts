import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { faultsOfQuery } from '../../support/kql.ts';
import { ROOT } from './template.ts';

const folder = `${ROOT}infra/azure/queries`;
const { items } = JSON.parse(readFileSync(`${ROOT}infra/azure/workbook.json`, 'utf8')) as {
  items: { name: string; content: { query: string } }[];
};
const queries = [
  ...readdirSync(folder).map((file) => [`alert ${file}`, readFileSync(`${folder}/${file}`, 'utf8')]),
  ...items.map(({ name, content }) => [`workbook ${name}`, content.query]),
];

test.each(queries)(
  'the query of %s is understood by the official parser over the published schemas',
  (_name, query) => {
    expect(faultsOfQuery(query ?? '')).toEqual([]);
  },
);
