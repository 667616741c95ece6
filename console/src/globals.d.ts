/** The version of the package the console was built from. */
declare const MOUSTIQUE_VERSION: string;
/** Codes of the languages, one per file in languages/. */
declare const LANGUAGES: readonly string[];
/** Service worker: the files of the shell, and a name that changes with them. */
declare const SHELL: readonly string[];
declare const SHELL_VERSION: string;
