import { option } from '../option.ts';
import { boolean, path, text } from '../value-types.ts';

/** Who may come in and what they may do: for the whole broker, or per listener with `per_listener_settings true`. */
export const securityOptions = {
  allow_anonymous: option({
    scope: 'security',
    type: boolean(),
    default: null,
    reload: 'live',
    doc: 'Whether clients may connect without a user name. When not given: true while no listener is configured (only this machine can connect then), otherwise false.',
  }),
  password_file: option({
    scope: 'security',
    type: path('file'),
    default: null,
    repeat: 'replace',
    reload: 'live',
    doc: 'File of user names and password hashes, made with moustique_passwd. A client with a name must give the right password.',
  }),
  acl_file: option({
    scope: 'security',
    type: path('file'),
    default: null,
    repeat: 'replace',
    reload: 'live',
    unsupported: { why: 'rights per topic are not checked yet' },
    doc: 'File that says who may read and write which topics.',
  }),
  psk_file: option({
    scope: 'security',
    type: path('file'),
    default: null,
    repeat: 'replace',
    reload: 'live',
    unsupported: { why: 'TLS with pre-shared keys is not available yet' },
    doc: 'File of identities and pre-shared keys for listeners with `psk_hint`.',
  }),
  allow_zero_length_clientid: option({
    scope: 'security',
    type: boolean(),
    default: true,
    reload: 'new-connections',
    doc: 'Whether clients may leave the Client Identifier empty and get one from the broker.',
  }),
  auto_id_prefix: option({
    scope: 'security',
    type: text({ expects: 'text of at most 50 bytes', check: longestPrefix }),
    default: 'auto-',
    repeat: 'replace',
    reload: 'new-connections',
    deprecated: { instead: "Please use 'listener_auto_id_prefix' instead." },
    doc: 'How Client Identifiers made by the broker begin.',
  }),
};

/** Mosquitto's bound on the prefix of generated Client Identifiers. */
export function longestPrefix(prefix: string, name: string): string | undefined {
  return Buffer.byteLength(prefix) > 50 ? `${name} length must be <= 50.` : undefined;
}
