import type { ShownMessage, StoredMessage } from '../api/types.ts';

/** A message of the history as every other one is shown; the history keeps no properties. */
export const shownFromStored = (stored: StoredMessage): ShownMessage => ({
  topic: stored.topic,
  payload: stored.payload,
  sizeBytes: stored.sizeBytes,
  isTruncated: false,
  qos: stored.qos,
  isRetained: stored.isRetained,
  properties: {},
  publisherClientId: stored.publisherClientId,
  publisherUsername: null,
  atMs: stored.atMs,
});
