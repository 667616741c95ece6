import { option } from '../option.ts';
import { loadedPlugin, pluginOptionValue, untrimmedPath } from '../plugin-types.ts';
import { boolean, text } from '../value-types.ts';

/** Code that extends the broker: some of Mosquitto's plugins are built in (see `built-in-plugins.ts`). */
export const pluginOptions = {
  plugin: option({
    scope: 'security',
    opens: 'plugin',
    type: untrimmedPath('file'),
    default: null,
    aliases: ['auth_plugin'],
    repeat: 'collect',
    reload: 'restart',
    doc: 'Loads a plugin for the whole broker, or for the listener above with `per_listener_settings true`. The plugin options below it belong to it. `mosquitto_dynamic_security.so`, `mosquitto_acl_file.so` and `mosquitto_password_file.so`, in whatever folder, are built in; other plugins are refused. See [dynamic-security.md](dynamic-security.md).',
  }),
  global_plugin: option({
    scope: 'global',
    opens: 'global-plugin',
    type: untrimmedPath('file'),
    default: null,
    repeat: 'collect',
    reload: 'restart',
    since: '2.1',
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
    doc: '`plugin_opt_KEY VALUE` gives the plugin above an option of its own. Dynamic security takes `plugin_opt_config_file`, its file, and `plugin_opt_password_init_file`, whose first line is the password of `admin` when that file has to be made; the plugins of files take `plugin_opt_acl_file` and `plugin_opt_password_file`, which are as `acl_file` and `password_file`.',
  }),
  auth_plugin_deny_special_chars: option({
    scope: 'plugin',
    type: boolean(),
    default: true,
    reload: 'restart',
    doc: 'Refuses user names and Client Identifiers with `+`, `#` or `/` before a plugin of the interfaces 2 to 4 is asked; dynamic security does not depend on it.',
  }),
};
