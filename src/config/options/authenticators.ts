import { httpAddress, tokenAlgorithms, wordList } from '../authenticator-types.ts';
import { option } from '../option.ts';
import { integer, listed, path, text } from '../value-types.ts';

/**
 * Others who say who may come in: a Web service that is asked, and whoever signs tokens. Beside `password_file`; the first that
 * knows a client lets it in.
 */
export const authenticatorOptions = {
  moustique_auth_http_url: option({
    scope: 'security',
    type: httpAddress(),
    default: null,
    repeat: 'replace',
    reload: 'live',
    isExtension: true,
    doc: 'Web service that is asked who may come in: POST of a JSON object with `client_id`, `username`, `password`, `address`, `port` and `protocol_version`. 204, or 200 with `{"result":"allow"}` or nothing in it, lets the client in; 200 with `{"result":"deny"}`, 401 and 403 refuse it. Anything else, and no answer, refuses it as Server unavailable, which is logged once. Redirects are not followed. `http://USER:PASSWORD@…` is sent as Basic authentication.',
  }),
  moustique_auth_http_timeout: option({
    scope: 'security',
    type: integer({ min: 1, max: 9 }),
    default: 5,
    unit: 's',
    reload: 'live',
    isExtension: true,
    doc: 'How long the Web service has to answer, connecting included. A client has 10 s in all.',
  }),
  moustique_auth_http_cache: option({
    scope: 'security',
    type: integer({ min: 0, max: 86_400 }),
    default: 0,
    unit: 's',
    reload: 'live',
    isExtension: true,
    doc: 'How long a client that the Web service let in may come back with the very same credentials without asking again; 0 asks every time. At most 10,000 are remembered; a reload forgets them.',
  }),
  moustique_auth_http_cafile: option({
    scope: 'security',
    type: path('file'),
    default: null,
    repeat: 'replace',
    reload: 'live',
    isExtension: true,
    doc: 'Certificates of the authorities that may have signed the certificate of an https service, in PEM form; those that Node.js knows when not given.',
  }),
  moustique_auth_jwt_key_file: option({
    scope: 'security',
    type: path('file'),
    default: null,
    repeat: 'replace',
    reload: 'live',
    isExtension: true,
    doc: 'Lets clients in that give a JSON Web Token for a password. The file holds what its signature is checked with: a public key or certificate in PEM form, a JSON Web Key Set, or the shared secret of HS256 (32 bytes at least). The connection ends when the token does.',
  }),
  moustique_auth_jwt_algorithms: option({
    scope: 'security',
    type: wordList('signature algorithms', (word) => (tokenAlgorithms as readonly string[]).includes(word)),
    default: null,
    repeat: 'replace',
    reload: 'live',
    isExtension: true,
    doc: `Which signatures of tokens are taken, of ${listed(tokenAlgorithms)}; all that fit the key when not given. A secret never checks what a public key should, nor the other way round.`,
  }),
  moustique_auth_jwt_issuer: option({
    scope: 'security',
    type: text({ expects: 'value of the claim iss' }),
    default: null,
    repeat: 'replace',
    reload: 'live',
    isExtension: true,
    doc: 'Tokens must have this issuer (`iss`).',
  }),
  moustique_auth_jwt_audience: option({
    scope: 'security',
    type: text({ expects: 'value of the claim aud' }),
    default: null,
    repeat: 'replace',
    reload: 'live',
    isExtension: true,
    doc: 'Tokens must be meant for this audience (`aud`).',
  }),
  moustique_auth_jwt_required_claims: option({
    scope: 'security',
    type: wordList('names of claims'),
    default: ['exp'],
    repeat: 'replace',
    reload: 'live',
    isExtension: true,
    doc: 'Claims that tokens must have, separated by spaces. A list without `exp` lets tokens in that never end.',
  }),
  moustique_auth_jwt_username_claim: option({
    scope: 'security',
    type: text({ expects: 'name of a claim' }),
    default: 'sub',
    repeat: 'replace',
    reload: 'live',
    isExtension: true,
    doc: 'The claim that holds the user name. It takes the place of the one in CONNECT, for access files too.',
  }),
};
