import { option } from '../option.ts';
import { loadedPlugin, pluginOptionValue, untrimmedPath } from '../plugin-types.ts';
import { boolean, text } from '../value-types.ts';

const why = 'plugins cannot be loaded yet';

/** Code that extends the broker. */
export const pluginOptions = {
  plugin: option({
    scope: 'security',
    opens: 'plugin',
    type: untrimmedPath('file'),
    default: null,
    aliases: ['auth_plugin'],
    repeat: 'collect',
    reload: 'restart',
    unsupported: { why },
    doc: 'Loads a plugin for the whole broker, or for the listener above with `per_listener_settings true`. The plugin options below it belong to it.',
  }),
  global_plugin: option({
    scope: 'global',
    opens: 'global-plugin',
    type: untrimmedPath('file'),
    default: null,
    repeat: 'collect',
    reload: 'restart',
    since: '2.1',
    unsupported: { why },
    doc: 'Loads a plugin for the whole broker, whatever `per_listener_settings` says.',
  }),
  plugin_load: option({
    scope: 'global',
    opens: 'loaded-plugin',
    type: loadedPlugin(),
    default: null,
    repeat: 'collect',
    reload: 'restart',
    since: '2.1',
    unsupported: { why },
    doc: 'Loads a plugin under a name; it serves the listeners that name it in `plugin_use`.',
  }),
  plugin_use: option({
    scope: 'listener',
    opens: 'plugin-use',
    type: text({ expects: 'name of a loaded plugin' }),
    default: null,
    repeat: 'collect',
    reload: 'restart',
    since: '2.1',
    unsupported: { why },
    doc: 'Uses a plugin of `plugin_load` on this listener.',
  }),
  plugin_opt_: option({
    scope: 'plugin',
    opens: 'plugin-option',
    isPrefix: true,
    type: pluginOptionValue(),
    default: null,
    aliases: ['auth_opt_'],
    repeat: 'collect',
    reload: 'restart',
    unsupported: { why },
    doc: '`plugin_opt_KEY VALUE` gives the plugin above an option of its own.',
  }),
  auth_plugin_deny_special_chars: option({
    scope: 'plugin',
    type: boolean(),
    default: true,
    reload: 'restart',
    unsupported: { why },
    doc: 'Refuses user names and Client Identifiers with `+`, `#` or `/` before the plugin is asked.',
  }),
};
