import type { ComponentChildren } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { ShownMessage } from '../api/types.ts';
import { formatBytes, formatIso, formatMoment } from '../format.ts';
import { t } from '../i18n.ts';
import { Button } from '../ui/button.tsx';
import { copyText, saveFile } from '../ui/copy.ts';
import { Shown } from '../ui/shown.tsx';
import { HexView } from './hex-view.tsx';
import { JsonView } from './json-view.tsx';
import type { Payload } from './payload.ts';
import { payloadBytes, payloadOf } from './payload-bytes.ts';
import { PropertyList } from './property-list.tsx';

type Way = 'json' | 'text' | 'hex';

/** A message whole: when, from whom, its properties, its payload. */
export function MessageView({
  message,
  onPath,
  onWhole,
}: {
  message: ShownMessage;
  onPath?: ((path: string) => void) | undefined;
  /** Asks for the whole of a payload that was cut. */
  onWhole?: (() => void) | undefined;
}) {
  const payload = useMemo(() => payloadOf(message.payload), [message]);
  return (
    <div class="message-view">
      <dl class="facts">
        <Fact name={t('message.at')}>
          <time dateTime={formatIso(message.atMs)} title={formatIso(message.atMs)}>
            {formatMoment(message.atMs)}
          </time>
        </Fact>
        <Fact name={t('message.size')}>{formatBytes(message.sizeBytes)}</Fact>
        <Fact name="QoS">{message.qos}</Fact>
        <Fact name={t('message.retained')}>{message.isRetained ? t('yes') : t('no')}</Fact>
        <Fact name={t('message.publisher')}>
          {message.publisherClientId === '' ? (
            <span class="muted">{t('message.unknownPublisher')}</span>
          ) : (
            <Shown text={message.publisherClientId} max={200} />
          )}
          {message.publisherUsername === null ? null : (
            <span class="muted">
              {' '}
              (<Shown text={message.publisherUsername} max={100} />)
            </span>
          )}
        </Fact>
      </dl>
      <PropertyList properties={message.properties} />
      <PayloadView key={payload.kind} payload={payload} message={message} onPath={onPath} onWhole={onWhole} />
    </div>
  );
}

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div class="fact">
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

function PayloadView(props: {
  payload: Payload;
  message: ShownMessage;
  onPath?: ((path: string) => void) | undefined;
  onWhole?: (() => void) | undefined;
}) {
  const { payload, message } = props;
  const ways: readonly Way[] =
    payload.kind === 'json' ? ['json', 'text', 'hex'] : payload.kind === 'text' ? ['text', 'hex'] : ['hex'];
  const [way, setWay] = useState<Way>(ways[0] ?? 'text');
  if (payload.kind === 'empty') return <p class="empty">{t('payload.empty')}</p>;
  const text = 'text' in payload ? payload.text : '';
  return (
    <div class="payload">
      <div class="bar small">
        <span class="chip">{t('payload.as', { kind: t(`payload.kind.${payload.kind}`) })}</span>
        {ways.map((one) => (
          <Button key={one} kind="quiet" pressed={one === way} onClick={() => setWay(one)}>
            {t(`payload.way.${one}`)}
          </Button>
        ))}
        <span class="grow" />
        {text === '' ? null : (
          <Button icon="copy" kind="quiet" label={t('payload.copy')} onClick={() => void copyText(text)} />
        )}
        <Button
          icon="download"
          kind="quiet"
          label={t('payload.save')}
          onClick={() => saveFile('payload.bin', 'application/octet-stream', payloadBytes(message.payload))}
        />
      </div>
      {message.isTruncated ? (
        <div class="bar note">
          <span class="grow">{t('payload.truncated', { size: formatBytes(message.sizeBytes) })}</span>
          {props.onWhole === undefined ? null : <Button onClick={props.onWhole}>{t('payload.whole')}</Button>}
        </div>
      ) : null}
      {way === 'json' && payload.kind === 'json' ? (
        <JsonView root={payload.root} {...(props.onPath === undefined ? {} : { onPath: props.onPath })} />
      ) : way === 'hex' ? (
        <HexView bytes={payloadBytes(message.payload)} />
      ) : (
        <pre class="payload-text" tabIndex={0} data-testid="payload-text">
          <Shown text={text} />
        </pre>
      )}
    </div>
  );
}
