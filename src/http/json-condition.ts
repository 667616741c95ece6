/** Conditions on JSON payloads: `$.t > 20`, `$.sensor.name == "cellar"`, `$.list[0] != 3`, `$.t` (is there). */

type Compare = (value: unknown) => boolean;

/** @returns a test of a payload's bytes (one character each), or why the text is no condition */
export function parseJsonCondition(text: string): ((payload: string) => boolean) | string {
  const parts = /^\s*\$((?:\.[^.[\]\s<>=!]+|\[\d{1,9}\])*)\s*(?:(==|=|!=|<=|>=|<|>)\s*(.+?)\s*)?$/s.exec(text);
  if (parts === null) return 'expected a path and a comparison, such as $.t > 20';
  const [, pathText = '', operator, written] = parts;
  const path = [...pathText.matchAll(/\.([^.[\]]+)|\[(\d+)\]/g)].map(([, name, index]) => name ?? Number(index));
  const compare = comparison(operator, written);
  if (typeof compare === 'string') return compare;
  return (payload) => {
    const first = payload.charCodeAt(0);
    // Text is not parsed to find that it is none: { [ " - digit t f n, or a blank.
    if (Number.isNaN(first) || (first > 0x39 && first !== 0x7b && first !== 0x5b && !/[tfn]/.test(payload.charAt(0)))) {
      return false;
    }
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(payload, 'latin1').toString());
    } catch {
      return false;
    }
    for (const step of path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return false;
      value = (value as Record<string | number, unknown>)[step];
    }
    return compare(value);
  };
}

function comparison(operator: string | undefined, written: string | undefined): Compare | string {
  if (operator === undefined || written === undefined) return () => true;
  let wanted: unknown;
  try {
    wanted = JSON.parse(written);
  } catch {
    wanted = written;
  }
  if (typeof wanted === 'object' && wanted !== null)
    return 'expected a number, a text, true, false or null to compare with';
  if (operator === '==' || operator === '=') return (value) => value === wanted;
  if (operator === '!=') return (value) => value !== wanted;
  if (typeof wanted !== 'number') return `${operator} compares numbers`;
  const number = wanted;
  const orders: Readonly<Record<string, (value: number) => boolean>> = {
    '<': (value) => value < number,
    '<=': (value) => value <= number,
    '>': (value) => value > number,
    '>=': (value) => value >= number,
  };
  const order = orders[operator] as (value: number) => boolean;
  return (value) => typeof value === 'number' && order(value);
}
