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
    doc: 'File that says who may read and write which topics: `user NAME` and `topic [read|write|readwrite|deny] FILTER` lines, and `pattern` lines with `%c` (Client Identifier) and `%u` (user name) for every client. What no line allows is denied.',
  }),
  psk_file: option({
    scope: 'security',
    type: path('file'),
    default: null,
    repeat: 'replace',
    reload: 'live',
    doc: 'File of identities and pre-shared keys for listeners with `psk_hint`.',
  }),
  acl_explain: option({
    scope: 'global',
    type: boolean(),
    default: false,
    reload: 'live',
    isExtension: true,
    doc: 'Tells MQTT 5.0 clients whose message was refused which rule refused it, as Reason String of the acknowledgement. File names and rules become known to clients.',
  }),
  scram: option({
    scope: 'security',
    type: boolean(),
    default: false,
    reload: 'new-connections',
    isExtension: true,
    doc: 'Whether MQTT 5.0 clients may prove their password by the authentication method SCRAM-SHA-512, without sending it. Needs `password_file` with entries of the scheme sha512-pbkdf2; clients may refuse fewer than 4096 iterations (`moustique_passwd -H sha512-pbkdf2 -I 4096`).',
  }),
  session_owner_check: option({
    scope: 'global',
    type: boolean(),
    default: true,
    reload: 'live',
    isExtension: true,
    doc: 'A session belongs to the user who made it: a client that gives its Client Identifier with another user name is refused and the owner is not disturbed. Sessions of clients without a user name belong to nobody. Mosquitto lets anyone take over any session.',
  }),
  reload_strict: option({
    scope: 'global',
    type: boolean(),
    default: true,
    reload: 'live',
    isExtension: true,
    doc: 'What a reload does that finds a password, access control or PSK file it cannot use: `true` ends the broker, as Mosquitto 2.1 does; `false` goes on with the rules it has.',
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
