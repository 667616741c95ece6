/**
 * Topic Filters: what a client may subscribe to, and what a shared one consists of.
 *
 * Well-formed UTF-8 is the codec's business; here it is about levels, wildcards and `$share` (MQTT 5.0 §4.7, §4.8.2).
 */

/** Most `/` a Topic Name or Topic Filter may hold. Mosquitto: 200 levels. */
export const topicSlashesMax = 200;

export interface TopicFilter {
  /** As the client wrote it; the key inside its Session. */
  readonly text: string;
  /** What Topic Names are matched against: `text` without `$share/group/`. */
  readonly filter: string;
  /** Share name, null for an ordinary subscription. */
  readonly shareName: string | null;
}

/** Why a text is no Topic Filter; a bad `$share` form is a protocol error, everything else malformed. */
export type FilterFault = 'empty' | 'wildcard' | 'levels' | 'share';

/** Whether the text is a legal Topic Filter; `$share` has no meaning here. */
export function filterFault(filter: string): FilterFault | null {
  const length = filter.length;
  if (length === 0) return 'empty';
  let slashes = 0;
  for (let index = 0; index < length; index++) {
    const code = filter.charCodeAt(index);
    if (code === 0x2f) {
      if (++slashes > topicSlashesMax) return 'levels';
    } else if (code === 0x2b) {
      // + fills its level. [MQTT-4.7.1-2]
      if (index > 0 && filter.charCodeAt(index - 1) !== 0x2f) return 'wildcard';
      if (index + 1 < length && filter.charCodeAt(index + 1) !== 0x2f) return 'wildcard';
    } else if (code === 0x23) {
      // # is the last character, alone in its level. [MQTT-4.7.1-1]
      if (index + 1 !== length || (index > 0 && filter.charCodeAt(index - 1) !== 0x2f)) return 'wildcard';
    }
  }
  return null;
}

/** Takes a Topic Filter apart, or says why it is none. */
export function parseTopicFilter(text: string): TopicFilter | FilterFault {
  if (!text.startsWith('$share') || (text.length > 6 && text.charCodeAt(6) !== 0x2f)) {
    return filterFault(text) ?? { text, filter: text, shareName: null };
  }
  // $share/NAME/FILTER with a NAME free of wildcards and a FILTER of at least one character. [MQTT-4.8.2-1] [MQTT-4.8.2-2]
  const nameEnd = text.indexOf('/', 7);
  if (nameEnd <= 7 || nameEnd + 1 >= text.length) return 'share';
  const shareName = text.slice(7, nameEnd);
  if (shareName.includes('+') || shareName.includes('#')) return 'share';
  const filter = text.slice(nameEnd + 1);
  return filterFault(filter) ?? { text, filter, shareName };
}

/** Whether the text may be published to: not empty, no wildcard, not too deep. [MQTT-3.3.2-2] [MQTT-4.7.3-1] */
export function isTopicName(name: string): boolean {
  if (name.length === 0 || name.length > 65_535) return false;
  let slashes = 0;
  for (let index = 0; index < name.length; index++) {
    const code = name.charCodeAt(index);
    if (code === 0x2b || code === 0x23 || code === 0) return false;
    if (code === 0x2f && ++slashes > topicSlashesMax) return false;
  }
  return true;
}

/** Whether the filter has a wildcard, so that it can match more than the Topic Name equal to it. */
export function hasWildcard(filter: string): boolean {
  return filter.includes('+') || filter.endsWith('#');
}

/** Matches one filter against one Topic Name; the trees do the same for many at once. */
export function filterMatches(filter: string, name: string): boolean {
  // Filters that begin with a wildcard do not see names that begin with $. [MQTT-4.7.2-1]
  if (name.charCodeAt(0) === 0x24 && (filter.charCodeAt(0) === 0x23 || filter.charCodeAt(0) === 0x2b)) return false;
  let filterAt = 0;
  let nameAt = 0;
  for (;;) {
    const filterSlash = filter.indexOf('/', filterAt);
    const filterEnd = filterSlash < 0 ? filter.length : filterSlash;
    if (filterEnd - filterAt === 1 && filter.charCodeAt(filterAt) === 0x23) return true;
    const nameSlash = name.indexOf('/', nameAt);
    const nameEnd = nameSlash < 0 ? name.length : nameSlash;
    const isPlus = filterEnd - filterAt === 1 && filter.charCodeAt(filterAt) === 0x2b;
    if (
      !isPlus &&
      (filterEnd - filterAt !== nameEnd - nameAt || !name.startsWith(filter.slice(filterAt, filterEnd), nameAt))
    ) {
      return false;
    }
    if (filterSlash < 0) return nameSlash < 0;
    // "a/#" matches "a" as well: # includes the parent level.
    if (nameSlash < 0) return filter.length === filterSlash + 2 && filter.charCodeAt(filterSlash + 1) === 0x23;
    filterAt = filterSlash + 1;
    nameAt = nameSlash + 1;
  }
}
