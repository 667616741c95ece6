import { useEffect, useRef, useState } from 'preact/hooks';
import { messageOf } from '../api/call.ts';
import type { Collection, SavedMessage } from '../api/types.ts';
import { t } from '../i18n.ts';
import { setState } from '../router.ts';
import { Button } from '../ui/button.tsx';
import { saveFile } from '../ui/copy.ts';
import { Shown } from '../ui/shown.tsx';
import { say } from '../ui/toast.tsx';
import { draftOf } from './draft.ts';
import { draft } from './publish-form.tsx';
import { runCollection, running } from './run-collection.ts';
import { changeSaved, loadSaved, merge, readCollections, saved, withMessages } from './saved.ts';
import { send } from './send.ts';

/** Do something, and say when it fails. */
const attempt = (work: Promise<unknown>, done?: string): void => {
  work.then(
    () => done !== undefined && say(done),
    (error: unknown) => say(messageOf(error), 'failed'),
  );
};

/** Collections of saved messages: send one, run all in order, carry them elsewhere. */
export function SavedPane() {
  const file = useRef<HTMLInputElement>(null);
  const [error, setError] = useState('');
  useEffect(() => void loadSaved().catch((failure: unknown) => setError(messageOf(failure))), []);
  const collections = saved.value?.collections ?? [];
  const importFile = async (chosen: File): Promise<void> => {
    const added = readCollections(await chosen.text());
    await changeSaved((old) => merge(old, added));
  };
  return (
    <section class="panel" aria-label={t('messages.saved')}>
      <div class="bar saved-head">
        <span class="muted small grow">{t('saved.shared')}</span>
        <input
          ref={file}
          type="file"
          accept="application/json,.json"
          hidden
          aria-label={t('saved.import')}
          onChange={(event) => {
            const chosen = event.currentTarget.files?.[0];
            if (chosen !== undefined) attempt(importFile(chosen), t('saved.imported'));
            event.currentTarget.value = '';
          }}
        />
        <Button icon="upload" kind="quiet" onClick={() => file.current?.click()}>
          {t('saved.import')}
        </Button>
        <Button
          icon="download"
          kind="quiet"
          disabled={collections.length === 0}
          onClick={() => saveFile('messages.json', 'application/json', JSON.stringify({ collections }, null, 2))}
        >
          {t('saved.export')}
        </Button>
      </div>
      {error === '' ? null : <p class="failure">{error}</p>}
      {collections.length === 0 ? <p class="empty">{t('saved.none')}</p> : null}
      {collections.map((collection) => (
        <CollectionView key={collection.name} collection={collection} />
      ))}
    </section>
  );
}

function CollectionView({ collection }: { collection: Collection }) {
  const { name, messages } = collection;
  const run = running.value?.name === name ? running.value : undefined;
  const edit = (next: readonly SavedMessage[]): void => attempt(changeSaved((old) => withMessages(old, name, next)));
  return (
    <section class="collection" aria-label={name}>
      <div class="bar">
        <h2 class="grow cut">
          <Shown text={name} max={200} />
        </h2>
        {run === undefined ? (
          <Button
            icon="play"
            onClick={() => attempt(runCollection(collection), t('saved.ran', { n: messages.length }))}
          >
            {t('saved.run')}
          </Button>
        ) : (
          <Button icon="pause" kind="danger" onClick={run.stop}>
            {t('saved.stop', { sent: run.sent, total: run.total })}
          </Button>
        )}
      </div>
      <ol class="saved-list">
        {messages.map((message, index) => (
          <li key={index}>
            <span class="grow saved-text">
              <strong>
                <Shown text={message.name === '' ? message.topic : message.name} max={200} />
              </strong>
              <span class="muted small cut">
                <Shown text={`${message.topic} · ${message.payload}`} max={200} />
              </span>
            </span>
            {message.delayMs === undefined ? null : (
              <span class="chip">{t('saved.after', { n: message.delayMs })}</span>
            )}
            <Button icon="send" label={t('publish.verb')} onClick={() => attempt(send(message), t('publish.sent'))} />
            <Button
              icon="edit"
              kind="quiet"
              label={t('saved.open')}
              onClick={() => {
                draft.value = draftOf(message);
                setState({ pane: 'publish', to: '' });
              }}
            />
            <Button
              icon="undo"
              kind="quiet"
              label={t('saved.up')}
              disabled={index === 0}
              onClick={() => edit(messages.with(index - 1, message).with(index, messages[index - 1] ?? message))}
            />
            <Button
              icon="trash"
              kind="quiet"
              label={t('saved.delete')}
              onClick={() => edit(messages.filter((_, at) => at !== index))}
            />
          </li>
        ))}
      </ol>
    </section>
  );
}
