/** The version of the package, as `package.json` states it; a test holds the two against each other. */
export const version = '0.1.0';
