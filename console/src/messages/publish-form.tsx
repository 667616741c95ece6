import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api/call.ts';
import { t } from '../i18n.ts';
import { isReduced } from '../session.ts';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { Failure, useSubmit } from '../ui/form.tsx';
import { Icon } from '../ui/icon.tsx';
import { type Draft, emptyDraft, messageOf } from './draft.ts';
import { PropertyFields } from './property-fields.tsx';
import { SaveDialog } from './save-dialog.tsx';
import { encodings, type Sent, send } from './send.ts';
import { templateExamples } from './template.ts';
import { TopicInput } from './topic-input.tsx';

/** What was typed survives a look at another screen. */
export const draft = signal<Draft>(emptyDraft);

export const change = (part: Partial<Draft>): void => {
  draft.value = { ...draft.value, ...part };
};

/** Publish a message; who will get it is said before, what became of it after. */
export function PublishForm({ topic }: { topic: string }) {
  const [sent, setSent] = useState<Sent | undefined>(undefined);
  const [isSaving, setSaving] = useState(false);
  useEffect(() => {
    if (topic !== '') change({ topic });
  }, [topic]);
  const { onSubmit, error, isBusy } = useSubmit(async () => {
    setSent(undefined);
    setSent(await send(messageOf(draft.value)));
  });
  const now = draft.value;
  return (
    <form class="panel form publish" onSubmit={onSubmit} data-testid="publish">
      <div class="form-grid">
        <Field label={t('publish.topic')} class="wide">
          {(id) => <TopicInput id={id} value={now.topic} onInput={(value) => change({ topic: value })} required />}
        </Field>
        <Field
          label={t('publish.payload')}
          class="wide"
          hint={t('publish.variables', { list: templateExamples.join('  ') })}
        >
          {(id) => (
            <textarea
              id={id}
              class="mono"
              rows={6}
              spellcheck={false}
              value={now.payload}
              onInput={(event) => change({ payload: event.currentTarget.value })}
              onKeyDown={(event) => {
                if (event.key === 'Enter' && (event.ctrlKey || event.metaKey))
                  event.currentTarget.form?.requestSubmit();
              }}
            />
          )}
        </Field>
        <Field label={t('publish.encoding')}>
          {(id) => (
            <select
              id={id}
              value={now.encoding}
              onChange={(event) => {
                const encoding = encodings.find((one) => one === event.currentTarget.value);
                if (encoding !== undefined) change({ encoding });
              }}
            >
              {encodings.map((one) => (
                <option key={one} value={one}>
                  {t(`encoding.${one}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="QoS">
          {(id) => (
            <select
              id={id}
              value={String(now.qos)}
              onChange={(event) => change({ qos: event.currentTarget.selectedIndex as 0 | 1 | 2 })}
            >
              <option value="0">{t('qos.0')}</option>
              <option value="1">{t('qos.1')}</option>
              <option value="2">{t('qos.2')}</option>
            </select>
          )}
        </Field>
        <label class="check">
          <input
            type="checkbox"
            checked={now.retain}
            onChange={(event) => change({ retain: event.currentTarget.checked })}
          />
          {t('publish.retain')}
        </label>
      </div>
      <PropertyFields draft={now} change={change} />
      <div class="bar">
        <Button type="submit" kind="primary" icon="send" disabled={isBusy} testId="publish-send">
          {t('publish.verb')}
        </Button>
        <Button icon="plus" onClick={() => setSaving(true)}>
          {t('saved.save')}
        </Button>
        {isReduced.value ? null : <Receivers topic={now.topic} />}
      </div>
      <Failure message={error} />
      <p class="sent" role="status" hidden={sent === undefined} data-testid="publish-result">
        {sent === undefined ? null : <SentText sent={sent} />}
      </p>
      {isSaving ? <SaveDialog draft={now} onClose={() => setSaving(false)} /> : null}
    </form>
  );
}

const SentText = ({ sent }: { sent: Sent }) => (
  <>
    <Icon name={sent.reasonCode < 0x80 ? 'check' : 'warning'} />{' '}
    {sent.matched === undefined ? t('publish.sent') : t('publish.sentTo', { n: sent.matched })}{' '}
    <span class="muted">
      {t('publish.reason', {
        code: `0x${sent.reasonCode.toString(16).padStart(2, '0').toUpperCase()}`,
        text: sent.reason,
      })}
    </span>
  </>
);

/** How many would get it now, while the topic is typed. */
function Receivers({ topic }: { topic: string }) {
  const [count, setCount] = useState<number | undefined>(undefined);
  useEffect(() => {
    setCount(undefined);
    if (topic === '' || /[#+]|\{\{/.test(topic)) return undefined;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      call('GET /subscriptions/receivers', { query: { topic }, signal: stop.signal }).then(
        (answer) => setCount(answer.count),
        () => undefined,
      );
    }, 250);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [topic]);
  return (
    <span class="muted small" role="status" data-testid="publish-receivers">
      {count === undefined ? '' : t('publish.receivers', { n: count })}
    </span>
  );
}
