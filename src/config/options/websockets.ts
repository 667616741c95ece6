import { textList } from '../listener-types.ts';
import { option } from '../option.ts';
import { anything } from '../value-types.ts';

/** Listeners with `protocol websockets`. */
export const websocketOptions = {
  websockets_origin: option({
    scope: 'listener',
    type: textList('origin'),
    default: [],
    repeat: 'collect',
    reload: 'restart',
    since: '2.1',
    doc: 'Admits web pages of this origin only (`https://example.org`). Write one line per origin.',
  }),
  websockets_log_level: option({
    scope: 'global',
    type: anything(),
    default: null,
    repeat: 'replace',
    reload: 'live',
    ignored: { why: 'it sets the verbosity of a library that is not used here' },
    doc: 'Once the verbosity of the libwebsockets library. Has no effect.',
  }),
};
