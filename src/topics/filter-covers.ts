/** Whether one Topic Filter takes in all that another one does: what a right to subscribe is measured with. */

/**
 * `t/#` covers `t/+/x`, `t/+` covers `t/a` but not `t/#`.
 *
 * @param wide - a Topic Filter
 * @param narrow - a Topic Filter
 */
export function filterCovers(wide: string, narrow: string): boolean {
  // Filters that begin with a wildcard do not see names that begin with $. [MQTT-4.7.2-1]
  if (narrow.charCodeAt(0) === 0x24 && (wide.charCodeAt(0) === 0x23 || wide.charCodeAt(0) === 0x2b)) return false;
  const wideLevels = wide.split('/');
  const narrowLevels = narrow.split('/');
  for (const [index, level] of wideLevels.entries()) {
    // "a/#" takes in "a" as well.
    if (level === '#') return true;
    const other = narrowLevels[index];
    if (other === undefined || other === '#' || (level !== '+' && level !== other)) return false;
  }
  return wideLevels.length === narrowLevels.length;
}
