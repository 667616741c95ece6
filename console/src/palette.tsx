/** Ctrl-K: to any screen, topic, client or setting. */

import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { call, isAbort } from './api/call.ts';
import { t } from './i18n.ts';
import { go, screens } from './router.ts';
import { isReduced, role } from './session.ts';
import { Dialog } from './ui/dialog.tsx';
import { Icon, type IconName } from './ui/icon.tsx';
import { Shown } from './ui/shown.tsx';

export const isPaletteOpen = signal(false);

interface Entry {
  readonly icon: IconName;
  readonly text: string;
  readonly kind: string;
  readonly run: () => void;
}

const eachMax = 8;

const close = (): void => {
  isPaletteOpen.value = false;
};

function fixedEntries(): readonly Entry[] {
  return [
    ...screens.map(
      (screen): Entry => ({
        icon: screen,
        text: t(`screen.${screen}`),
        kind: t('palette.screen'),
        run: () => go(screen),
      }),
    ),
    {
      icon: 'send',
      text: t('publish.title'),
      kind: t('palette.action'),
      run: () => go('messages', { pane: 'publish' }),
    },
    {
      icon: 'retained',
      text: t('retained.title'),
      kind: t('palette.action'),
      run: () => go('topics', { pane: 'retained' }),
    },
    { icon: 'info', text: t('who.title'), kind: t('palette.action'), run: () => go('clients', { pane: 'who' }) },
    {
      icon: 'settings',
      text: t('settings.config'),
      kind: t('palette.action'),
      run: () => go('settings', { pane: 'config' }),
    },
  ];
}

const topicEntry = (topic: string): Entry => ({
  icon: 'topics',
  text: topic,
  kind: t('palette.topic'),
  run: () => go('topics', { topic }),
});

async function search(text: string, stop: AbortSignal): Promise<readonly Entry[]> {
  const topics = call('GET /topics/search', { query: { q: text, limit: String(eachMax) }, signal: stop });
  const clients = call('GET /clients', { query: { search: text, limit: String(eachMax) }, signal: stop });
  const options = role.value === 'admin' ? call('GET /config', { signal: stop }) : Promise.reject();
  const [foundTopics, foundClients, foundOptions] = await Promise.allSettled([topics, clients, options]);
  const entries: Entry[] = [];
  if (foundTopics.status === 'fulfilled') entries.push(...foundTopics.value.items.map((row) => topicEntry(row.topic)));
  if (foundClients.status === 'fulfilled') {
    for (const { clientId } of foundClients.value.items) {
      entries.push({
        icon: 'clients',
        text: clientId,
        kind: t('palette.client'),
        run: () => go('clients', { client: clientId }),
      });
    }
  }
  if (foundOptions.status === 'fulfilled') {
    const names = new Set(foundOptions.value.items.map(({ option }) => option));
    const wanted = text.toLowerCase();
    for (const option of [...names].filter((name) => name.includes(wanted)).slice(0, eachMax)) {
      entries.push({
        icon: 'settings',
        text: option,
        kind: t('palette.option'),
        run: () => go('settings', { pane: 'config', option, all: '1' }),
      });
    }
  }
  return entries;
}

export function Palette() {
  const [text, setText] = useState('');
  const [found, setFound] = useState<readonly Entry[]>([]);
  const [active, setActive] = useState(0);
  const input = useRef<HTMLInputElement>(null);

  useEffect(() => input.current?.focus(), []);
  useEffect(() => {
    setActive(0);
    if (text === '' || isReduced.value) {
      setFound([]);
      return undefined;
    }
    const stop = new AbortController();
    const timer = setTimeout(() => {
      search(text, stop.signal).then(setFound, (error: unknown) => {
        if (!isAbort(error)) setFound([]);
      });
    }, 120);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [text]);

  const wanted = text.toLocaleLowerCase();
  const entries = [...fixedEntries().filter((entry) => entry.text.toLocaleLowerCase().includes(wanted)), ...found];
  const choose = (entry: Entry | undefined): void => {
    if (entry === undefined) return;
    close();
    entry.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown') setActive(Math.min(entries.length - 1, active + 1));
    else if (event.key === 'ArrowUp') setActive(Math.max(0, active - 1));
    else if (event.key === 'Enter') choose(entries[active]);
    else return;
    event.preventDefault();
  };

  return (
    <Dialog title={t('palette.title')} onClose={close}>
      <input
        ref={input}
        class="palette-input"
        role="combobox"
        aria-label={t('palette.placeholder')}
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={entries.length === 0 ? undefined : `palette-${active}`}
        placeholder={t('palette.placeholder')}
        value={text}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <ul class="palette-list" id="palette-list" role="listbox" aria-label={t('palette.title')}>
        {entries.map((entry, index) => (
          <li
            key={`${entry.kind} ${entry.text}`}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === active}
            onClick={() => choose(entry)}
            onPointerMove={() => setActive(index)}
          >
            <Icon name={entry.icon} />
            <span class="grow cut">
              <Shown text={entry.text} max={200} />
            </span>
            <span class="muted small">{entry.kind}</span>
          </li>
        ))}
      </ul>
      {entries.length === 0 ? <p class="empty">{t('nothingFound')}</p> : null}
    </Dialog>
  );
}
