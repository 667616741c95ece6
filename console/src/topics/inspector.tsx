import { WhoReceives } from '../clients/who-receives.tsx';
import { t } from '../i18n.ts';
import { StreamPane } from '../messages/stream-pane.tsx';
import { HistoryPane } from '../plot/history-pane.tsx';
import { linkTo, setState, stateOf } from '../router.ts';
import { isReduced, mayOperate } from '../session.ts';
import { Button } from '../ui/button.tsx';
import { copyText } from '../ui/copy.ts';
import { Icon } from '../ui/icon.tsx';
import { Shown } from '../ui/shown.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { LastMessage } from './last-message.tsx';

type Tab = 'value' | 'stream' | 'plot' | 'who';

/** Everything about one topic: its last message, what comes below it, its history, who gets it. */
export function Inspector({ topic }: { topic: string }) {
  const tabs: readonly { value: Tab; text: string }[] = [
    { value: 'value', text: t('inspector.value') },
    { value: 'stream', text: t('inspector.stream') },
    ...(isReduced.value
      ? []
      : ([
          { value: 'plot', text: t('inspector.history') },
          { value: 'who', text: t('inspector.who') },
        ] as const)),
  ];
  const tab = tabs.find((one) => one.value === stateOf('tab'))?.value ?? 'value';
  return (
    <section class="panel inspector" aria-label={t('inspector.label')} data-testid="inspector">
      <div class="bar inspector-head">
        <Button icon="back" kind="quiet" label={t('back')} onClick={closeInspector} />
        <h2 class="grow cut">
          <Shown text={topic} max={300} />
        </h2>
        <Button icon="copy" kind="quiet" label={t('inspector.copyTopic')} onClick={() => void copyText(topic)} />
        {mayOperate.value ? (
          <a class="button" href={linkTo('messages', { pane: 'publish', to: topic })}>
            <Icon name="send" />
            {t('publish.verb')}
          </a>
        ) : null}
      </div>
      <Tabs
        label={t('inspector.label')}
        value={tab}
        tabs={tabs}
        onChange={(value) => setState({ tab: value === 'value' ? '' : value })}
      />
      {tab === 'value' ? <LastMessage topic={topic} /> : null}
      {tab === 'stream' ? <StreamPane filters={[topic, `${topic}/#`]} /> : null}
      {tab === 'plot' ? <HistoryPane topic={topic} /> : null}
      {tab === 'who' ? <WhoReceives topic={topic} /> : null}
    </section>
  );
}

/** Close it and give the focus back to the row it came from. */
function closeInspector(): void {
  setState({ topic: '', tab: '' });
  requestAnimationFrame(() => document.querySelector<HTMLElement>('.side [role=treeitem][tabindex="0"]')?.focus());
}
