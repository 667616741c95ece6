/** The one plugin that is built in: dynamic security, which a `plugin` line asks for by the name of Mosquitto's file. */

/** Whatever folder it is said to be in. */
const fileName = /(?:^|[/\\])mosquitto_dynamic_security\.(?:so|dll|dylib)$/;

/** What dynamic security takes, after `plugin_opt_`; upper and lower case mean the same. */
export const dynsecOptionNames = ['config_file', 'password_init_file'] as const;

export interface DynsecOptions {
  /** null: it is not active */
  readonly configFile: string | null;
  readonly passwordInitFile: string | null;
}

/** Whether a plugin of that path is dynamic security. */
export function isDynsecPlugin({ path }: { readonly path: string }): boolean {
  return fileName.test(path);
}

/** The last value of each counts. */
export function dynsecOptionsOf(options: readonly (readonly [key: string, value: string])[]): DynsecOptions {
  const find = (name: (typeof dynsecOptionNames)[number]): string | null =>
    options.findLast(([key]) => key.toLowerCase() === name)?.[1] ?? null;
  return { configFile: find('config_file'), passwordInitFile: find('password_init_file') };
}
