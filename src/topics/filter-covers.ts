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
    if (level === '#') return true;
    const other = narrowLevels[index];
    // "a/#" takes in "a" as well.
    if (other === undefined) return false;
    if (other === '#' || (level !== '+' && level !== other)) return false;
    if (index === narrowLevels.length - 1 && index < wideLevels.length - 1) {
      return index === wideLevels.length - 2 && wideLevels[index + 1] === '#';
    }
  }
  return wideLevels.length === narrowLevels.length;
}
