import { useState } from 'preact/hooks';
import { t } from '../i18n.ts';
import { setState, stateOf } from '../router.ts';
import { isReduced, mayOperate } from '../session.ts';
import { Field } from '../ui/field.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { HistoryMessages } from './history-messages.tsx';
import { PublishForm } from './publish-form.tsx';
import { SavedPane } from './saved-pane.tsx';
import { StreamPane } from './stream-pane.tsx';
import { TopicInput } from './topic-input.tsx';

const panes = ['stream', 'history', 'publish', 'saved'] as const;
type Pane = (typeof panes)[number];

/** What arrives, what arrived, and what to send. */
export function MessagesScreen() {
  const shown = panes.filter(
    (pane) =>
      (pane !== 'history' || !isReduced.value) && ((pane !== 'publish' && pane !== 'saved') || mayOperate.value),
  );
  const pane: Pane = shown.find((one) => one === stateOf('pane')) ?? 'stream';
  return (
    <div class="single">
      <Tabs
        label={t('screen.messages')}
        value={pane}
        tabs={shown.map((value) => ({ value, text: t(`messages.${value}`) }))}
        onChange={(value) => setState({ pane: value === 'stream' ? '' : value })}
      />
      {pane === 'stream' ? <Filtered kind="stream" /> : null}
      {pane === 'history' ? <Filtered kind="history" /> : null}
      {pane === 'publish' ? <PublishForm key={stateOf('to')} topic={stateOf('to')} /> : null}
      {pane === 'saved' ? <SavedPane /> : null}
    </div>
  );
}

/** A stream or the history of the filter in the URL. */
function Filtered({ kind }: { kind: 'stream' | 'history' }) {
  const filter = stateOf('filter') === '' ? '#' : stateOf('filter');
  const [typed, setTyped] = useState(filter);
  const filters = filter.split(/[\s]+/).filter((one) => one !== '');
  return (
    <section class="panel fill">
      <form
        class="bar filters"
        onSubmit={(event) => {
          event.preventDefault();
          setState({ filter: typed.trim() === '#' ? '' : typed.trim() });
        }}
      >
        <Field label={t('messages.filter')} class="grow row-field">
          {(id) => (
            <TopicInput
              id={id}
              value={typed}
              onInput={setTyped}
              onCommit={(value) => setState({ filter: value.trim() })}
            />
          )}
        </Field>
        {kind === 'stream' ? (
          <Field label={t('messages.search')} class="row-field">
            {(id) => (
              <input
                id={id}
                type="search"
                value={stateOf('text')}
                onInput={(event) => setState({ text: event.currentTarget.value }, 'replace')}
              />
            )}
          </Field>
        ) : null}
        <button type="submit" class="button">
          {t('messages.apply')}
        </button>
      </form>
      {kind === 'stream' ? (
        <StreamPane filters={filters} search={stateOf('text')} />
      ) : (
        <HistoryMessages filter={filters[0] ?? '#'} />
      )}
    </section>
  );
}
