import { t } from '../i18n.ts';
import { Field } from '../ui/field.tsx';
import type { Draft } from './draft.ts';

/** Every MQTT 5.0 property a publisher may set. */
export function PropertyFields({ draft, change }: { draft: Draft; change: (part: Partial<Draft>) => void }) {
  const text = (
    name: 'contentType' | 'responseTopic' | 'correlationData' | 'expirySeconds',
    label: string,
    hint?: string,
  ) => (
    <Field label={label} {...(hint === undefined ? {} : { hint })}>
      {(id) => (
        <input
          id={id}
          class="mono"
          value={draft[name]}
          inputMode={name === 'expirySeconds' ? 'numeric' : 'text'}
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => change({ [name]: event.currentTarget.value })}
        />
      )}
    </Field>
  );
  return (
    <details class="properties">
      <summary>{t('publish.properties')}</summary>
      <div class="form-grid">
        {text('contentType', 'Content Type')}
        {text('expirySeconds', 'Message Expiry Interval', t('publish.seconds'))}
        {text('responseTopic', 'Response Topic')}
        {text('correlationData', 'Correlation Data', t('publish.asText'))}
        <label class="check">
          <input
            type="checkbox"
            checked={draft.isUtf8}
            onChange={(event) => change({ isUtf8: event.currentTarget.checked })}
          />
          Payload Format Indicator: UTF-8
        </label>
        <Field label="User Properties" class="wide" hint={t('publish.userProperties')}>
          {(id) => (
            <textarea
              id={id}
              class="mono"
              rows={2}
              spellcheck={false}
              value={draft.userProperties}
              onInput={(event) => change({ userProperties: event.currentTarget.value })}
            />
          )}
        </Field>
      </div>
    </details>
  );
}
