/** Plugins of Mosquitto that are built in; a `plugin` line asks for one by the name of its file, in whatever folder. */

/** Each with its options, after `plugin_opt_`; upper and lower case mean the same. */
const builtIn = {
  mosquitto_dynamic_security: ['config_file', 'password_init_file'],
  mosquitto_acl_file: ['acl_file'],
  mosquitto_password_file: ['password_file'],
} as const;
export type BuiltInPlugin = keyof typeof builtIn;

/** For messages: `a.so, b.so and c.so`. */
export const builtInFiles = Object.keys(builtIn)
  .map((name) => `${name}.so`)
  .join(', ')
  .replace(/, ([^,]*)$/, ' and $1');

/** A plugin as far as it matters here. */
export interface GivenPlugin {
  readonly path: string;
  readonly options: readonly (readonly [key: string, value: string])[];
}

/** Which one is built in under that path; null: none. */
export function builtInPlugin({ path }: Pick<GivenPlugin, 'path'>): BuiltInPlugin | null {
  const [, name = ''] = /(?:^|[/\\])(mosquitto_[a-z_]+)\.(?:so|dll|dylib)$/.exec(path) ?? [];
  return isBuiltIn(name) ? name : null;
}

function isBuiltIn(name: string): name is BuiltInPlugin {
  return Object.hasOwn(builtIn, name);
}

/** The options that a plugin has, and its file is the first of. */
export function optionsOfPlugin(name: BuiltInPlugin): readonly string[] {
  return builtIn[name];
}

/** The value of an option, the last one given; null when it is not. */
export function pluginOption({ options }: Pick<GivenPlugin, 'options'>, name: string): string | null {
  return options.findLast(([key]) => key.toLowerCase() === name)?.[1] ?? null;
}

/** The file that a plugin works with. */
export function pluginFile(plugins: readonly GivenPlugin[], name: BuiltInPlugin): string | null {
  const plugin = plugins.find((one) => builtInPlugin(one) === name);
  return plugin === undefined ? null : pluginOption(plugin, builtIn[name][0]);
}
