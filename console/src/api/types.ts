/** Shapes of the broker's interface that the screens pass around. */

import type { Answer } from './call.ts';

export type { LiveAnswer, LiveRequest } from '../../../src/http/schema/live.ts';
export type { TopicRow } from '../../../src/http/schema/topics.ts';

export type BrokerAnswer = Answer<'GET /broker'>;
export type ClientRow = Answer<'GET /clients'>['items'][number];
export type ClientDetail = Answer<'GET /clients/{clientId}'>;
export type RetainedRow = Answer<'GET /retained'>['items'][number];
export type ShownMessage = NonNullable<Answer<'GET /topics/last'>['message']>;
export type MessageProperties = ShownMessage['properties'];
export type Payload = ShownMessage['payload'];
export type SavedAnswer = Answer<'GET /saved-messages'>;
export type Collection = SavedAnswer['collections'][number];
export type SavedMessage = Collection['messages'][number];
/** Columns of one stored field; `gaps` are indexes before which the line has a hole. */
export type StoredSeries = Answer<'GET /history/query'>['series'][number];
export type StoredMessage = Answer<'GET /history/messages'>['items'][number];
/** A message of a stream with its number. */
export type StreamMessage = ShownMessage & { readonly seq: number };
export type Role = 'viewer' | 'operator' | 'admin';
