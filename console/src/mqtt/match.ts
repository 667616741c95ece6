/** Whether a Topic Name matches a Topic Filter (MQTT 5.0 §4.7). */
export function matchesFilter(filter: string, topic: string): boolean {
  const levels = filter.split('/');
  const names = topic.split('/');
  // Wildcards in the first level leave out topics that begin with $. [MQTT-4.7.2-1]
  if (topic.startsWith('$') && (levels[0] === '#' || levels[0] === '+')) return false;
  for (const [index, level] of levels.entries()) {
    if (level === '#') return true;
    if (index >= names.length) return false;
    if (level !== '+' && level !== names[index]) return false;
  }
  return levels.length === names.length;
}
