/** One field of a rule, for people: its path, its value, and where it came from. */
export interface ExplainedField {
  field: string;
  value: string;
  from: string;
}

/** One row a field; of a list of objects one row an object, which no comma of its neighbour can be taken for a part of. */
export function explainField(field: string, value: unknown, from: string): ExplainedField[] {
  if (Array.isArray(value) && value.some(isObject)) {
    return value.map((item, index) => ({ field: `${field}[${index}]`, value: printed(item), from }));
  }
  return [{ field, value: printed(value), from }];
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function printed(value: unknown): string {
  if (value === undefined) return 'none';
  if (!isObject(value)) return String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(word).join(', ');
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return members.length === 0 ? 'none' : members.map(([name, member]) => `${name} ${word(member)}`).join(', ');
}

/** A text that could be read as two is quoted, and what is nested is put in brackets. */
function word(value: unknown): string {
  if (isObject(value)) return Array.isArray(value) ? `[${value.map(word).join(', ')}]` : `(${printed(value)})`;
  return typeof value === 'string' && !/[,\s"()[\]]/.test(value) ? value : JSON.stringify(value);
}
