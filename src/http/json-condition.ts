/** Conditions on JSON payloads: `$.t > 20`, `$.sensor.name == "cellar"`, `$.list[0] != 3`, `$.t` (is there). */

type Compare = (value: unknown) => boolean;
type Order = (value: number) => boolean;

/** @returns a test of a payload's bytes (one character each), or why the text is no condition */
export function parseJsonCondition(text: string): ((payload: string) => boolean) | string {
  const parts = /^\s*\$((?:\.[^.[\]\s<>=!]+|\[\d{1,9}\])*)\s*(?:(==|=|!=|<=|>=|<|>)\s*(.+?)\s*)?$/s.exec(text);
  if (parts === null) return 'expected a path and a comparison, such as $.t > 20';
  const [, pathText = '', operator, written] = parts;
  const path = [...pathText.matchAll(/\.([^.[\]]+)|\[(\d+)\]/g)].map(([, name, index]) => name ?? Number(index));
  const compare = comparison(operator, written);
  if (typeof compare === 'string') return compare;
  const mayMatch = quickLook(path.at(-1), orderOf(operator, Number(written)));
  return (payload) => {
    const first = payload.charCodeAt(0);
    // Text is not parsed to find that it is none: { [ " - digit t f n, or a blank.
    if (Number.isNaN(first) || (first > 0x39 && first !== 0x7b && first !== 0x5b && !/[tfn]/.test(payload.charAt(0)))) {
      return false;
    }
    if (!mayMatch(payload)) return false;
    let value: unknown;
    try {
      value = JSON.parse(isAscii.test(payload) ? payload : Buffer.from(payload, 'latin1').toString());
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
  const order = orderOf(operator, wanted) as Order;
  return (value) => typeof value === 'number' && order(value);
}

/** @returns undefined: the operator is not about more and less */
function orderOf(operator: string | undefined, number: number): Order | undefined {
  const orders: Readonly<Record<string, Order>> = {
    '<': (value) => value < number,
    '<=': (value) => value <= number,
    '>': (value) => value > number,
    '>=': (value) => value >= number,
  };
  return orders[operator ?? ''];
}

const isAscii = /^[\0-\x7f]*$/;

/**
 * A look at the text that tells most payloads apart without making objects of them: whether the name stands in it as a key, and
 * in front of a number as wanted.
 *
 * @param step - the last of the path
 * @returns whether parsing could show a match
 */
function quickLook(step: string | number | undefined, order: Order | undefined): (payload: string) => boolean {
  const key = JSON.stringify(step);
  if (typeof step !== 'string' || key.includes('\\')) return () => true;
  const bytes = Buffer.from(key).toString('latin1');
  const value = /[ \t\r\n]*:[ \t\r\n]*(-?[0-9][0-9.eE+-]*)?/y;
  return (payload) => {
    // A name may be written with escapes.
    if (payload.includes('\\')) return true;
    for (let at = payload.indexOf(bytes); at >= 0; at = payload.indexOf(bytes, at + 1)) {
      value.lastIndex = at + bytes.length;
      const found = value.exec(payload);
      if (found === null) continue;
      if (order === undefined || (found[1] !== undefined && order(Number(found[1])))) return true;
    }
    return false;
  };
}
