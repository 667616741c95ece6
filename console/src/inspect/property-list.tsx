import type { MessageProperties } from '../api/types.ts';
import { formatDuration } from '../format.ts';
import { t } from '../i18n.ts';
import { Shown } from '../ui/shown.tsx';

/** MQTT 5.0 properties of a message; their names are the standard's. */
export function PropertyList({ properties }: { properties: MessageProperties }) {
  const rows: [string, string][] = [];
  const { contentType, responseTopic, correlationData, payloadFormatIndicator, messageExpiryIntervalSeconds } =
    properties;
  if (contentType !== undefined) rows.push(['Content Type', contentType]);
  if (payloadFormatIndicator !== undefined) {
    rows.push([
      'Payload Format Indicator',
      `${payloadFormatIndicator}${payloadFormatIndicator === 1 ? ' (UTF-8)' : ''}`,
    ]);
  }
  if (messageExpiryIntervalSeconds !== undefined) {
    rows.push(['Message Expiry Interval', formatDuration(messageExpiryIntervalSeconds)]);
  }
  if (responseTopic !== undefined) rows.push(['Response Topic', responseTopic]);
  if (correlationData !== undefined) rows.push(['Correlation Data', correlationData]);
  for (const [name, value] of properties.userProperties ?? []) rows.push([`User Property: ${name}`, value]);
  if (rows.length === 0) return null;
  return (
    <details class="properties" open>
      <summary>{t('properties.title', { n: rows.length })}</summary>
      <table class="table">
        <tbody>
          {rows.map(([name, value], index) => (
            <tr key={index}>
              <th scope="row">
                <Shown text={name} max={200} />
              </th>
              <td>
                <Shown text={value} max={1000} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
