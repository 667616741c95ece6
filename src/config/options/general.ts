import { option } from '../option.ts';
import { untrimmedPath } from '../plugin-types.ts';
import { anything, boolean, integer, path, text } from '../value-types.ts';

/** The process itself: files, user, memory. */
export const generalOptions = {
  include_dir: option({
    scope: 'global',
    opens: 'include',
    type: untrimmedPath('directory'),
    default: null,
    repeat: 'collect',
    reload: 'live',
    doc: 'Reads every file of this directory whose name ends in `.conf`, at the place of this line, sorted by name without regard to case. Allowed in the main file only. Each file begins with no current listener, bridge or plugin.',
  }),
  per_listener_settings: option({
    scope: 'global',
    type: boolean(),
    default: false,
    reload: 'live',
    deprecated: { instead: 'Please use listener_allow_anonymous and plugin_use instead.' },
    doc: 'When true, the security options belong to the listener above them instead of the whole broker. Must stand before any security option.',
  }),
  pid_file: option({
    scope: 'global',
    type: path('file'),
    default: null,
    reload: 'restart',
    doc: 'Writes the process id into this file at the start and removes it at the end.',
  }),
  user: option({
    scope: 'global',
    type: text({ expects: 'user name' }),
    default: 'mosquitto',
    repeat: 'replace',
    reload: 'restart',
    doc: 'The system user to become when started as root. `root` stays root. Without effect for other users.',
  }),
  sys_interval: option({
    scope: 'global',
    type: integer({ min: 0, max: 65_535 }),
    default: 10,
    unit: 's',
    reload: 'live',
    doc: 'How often the `$SYS` topics are published. 0 publishes none.',
  }),
  memory_limit: option({
    scope: 'global',
    type: integer({ min: 0 }),
    default: 0,
    unit: 'bytes',
    reload: 'live',
    doc: 'Bytes that messages may take: two thirds of it those that are retained or queued, one third what waits for slow sockets. Beyond them nothing is queued and no further topic retained. Connections, subscriptions and the memory of an idle broker are not counted. 0, or more than the machine has: three quarters of the memory of machine or container.',
  }),
  enable_control_api: option({
    scope: 'global',
    type: boolean(),
    default: false,
    reload: 'live',
    since: '2.1',
    doc: 'Answers requests on the control topic `$CONTROL/broker/v1`: `listListeners`, `listPlugins` and `explainAcl`, as `moustique_ctrl` sends them. Who may publish to that topic may ask; `explainAcl` also needs an `acl_file` that allows it, or a client on this machine.',
  }),
  retry_interval: option({
    scope: 'global',
    type: anything(),
    default: null,
    repeat: 'replace',
    reload: 'live',
    ignored: {
      why: 'messages are sent again when a client comes back, as MQTT 3.1.1 and 5.0 ask',
      warning: "Warning: The 'retry_interval' option is no longer available.",
    },
    doc: 'Once the time after which messages were sent again. Has no effect any more.',
  }),
};
