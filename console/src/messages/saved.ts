/** Saved messages, kept in the broker for everybody; with another broker, in this browser. */

import { signal } from '@preact/signals';
import { CallError, call } from '../api/call.ts';
import type { Collection, SavedAnswer, SavedMessage } from '../api/types.ts';
import { t } from '../i18n.ts';
import { isReduced } from '../session.ts';
import { remember, remembered } from '../storage.ts';

export const saved = signal<SavedAnswer | undefined>(undefined);

const localKey = 'saved';

export async function loadSaved(): Promise<void> {
  saved.value = isReduced.value
    ? { version: 0, collections: JSON.parse(remembered(localKey) ?? '[]') as Collection[] }
    : await call('GET /saved-messages');
}

/**
 * Change the collections.
 *
 * @throws Error - somebody else changed them meanwhile; the newer ones are loaded
 */
export async function changeSaved(edit: (collections: readonly Collection[]) => readonly Collection[]): Promise<void> {
  if (saved.value === undefined) await loadSaved();
  const before = saved.value ?? { version: 0, collections: [] };
  const collections = [...edit(before.collections)];
  if (isReduced.value) {
    remember(localKey, JSON.stringify(collections));
    saved.value = { version: 0, collections };
    return;
  }
  try {
    saved.value = await call('PUT /saved-messages', { body: { version: before.version, collections } });
  } catch (error) {
    if (!(error instanceof CallError) || error.status !== 409) throw error;
    await loadSaved();
    throw new Error(t('saved.conflict'), { cause: error });
  }
}

/** Adds a message to a collection, which is made when there is none of that name. */
export function withMessage(
  collections: readonly Collection[],
  name: string,
  message: SavedMessage,
): readonly Collection[] {
  if (!collections.some((one) => one.name === name)) return [...collections, { name, messages: [message] }];
  return collections.map((one) => (one.name === name ? { ...one, messages: [...one.messages, message] } : one));
}

/** Replaces the messages of one collection; an empty one goes. */
export const withMessages = (
  collections: readonly Collection[],
  name: string,
  messages: readonly SavedMessage[],
): readonly Collection[] =>
  messages.length === 0
    ? collections.filter((one) => one.name !== name)
    : collections.map((one) => (one.name === name ? { ...one, messages: [...messages] } : one));

/** Reads a file that was exported. @throws Error - it is none */
export function readCollections(text: string): readonly Collection[] {
  let parsed: { collections?: unknown };
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch {
    throw new Error(t('saved.badFile'));
  }
  const list = Array.isArray(parsed) ? parsed : parsed.collections;
  if (!Array.isArray(list)) throw new Error(t('saved.badFile'));
  return list.map((one: Partial<Collection>) => {
    if (typeof one.name !== 'string' || !Array.isArray(one.messages)) throw new Error(t('saved.badFile'));
    return { name: one.name, messages: one.messages };
  });
}

/** Imported collections replace those of the same name. */
export const merge = (old: readonly Collection[], added: readonly Collection[]): readonly Collection[] => [
  ...old.filter((one) => !added.some((other) => other.name === one.name)),
  ...added,
];
