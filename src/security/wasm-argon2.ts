/** The part of `hash-wasm` that is used. A bundle knows what a package in CommonJS exports only where it is named. */
export { argon2id } from 'hash-wasm';
