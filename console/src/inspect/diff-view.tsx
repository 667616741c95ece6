import { t } from '../i18n.ts';
import { Shown } from '../ui/shown.tsx';
import { bytesDiffer, diffJson, diffLines, type JsonChange } from './diff.ts';
import { HexView } from './hex-view.tsx';
import { formatJson, type JsonNode } from './json.ts';
import type { Payload } from './payload.ts';

/** Changes drawn; a document with more says how many it has. */
const drawnMax = 500;

/** Two payloads side by side, by the best way both can be read. */
export function DiffView({ before, after }: { before: Payload; after: Payload }) {
  if (before.kind === 'json' && after.kind === 'json') return <JsonDiff changes={diffJson(before.root, after.root)} />;
  const a = before.kind === 'empty' ? '' : 'text' in before ? before.text : undefined;
  const b = after.kind === 'empty' ? '' : 'text' in after ? after.text : undefined;
  if (a !== undefined && b !== undefined) return <LineDiff before={a} after={b} />;
  const left = bytesOf(before);
  const right = bytesOf(after);
  return (
    <div class="diff-bytes">
      <HexView bytes={left} marked={bytesDiffer(left, right)} />
      <HexView bytes={right} marked={bytesDiffer(left, right)} />
    </div>
  );
}

function bytesOf(payload: Payload): Uint8Array {
  if (payload.kind === 'binary') return payload.bytes;
  return new TextEncoder().encode(payload.kind === 'empty' ? '' : payload.text);
}

function JsonDiff({ changes }: { changes: readonly JsonChange[] }) {
  if (changes.length === 0) return <p class="empty">{t('diff.same')}</p>;
  return (
    <div class="scroll-x" tabIndex={0}>
      <p class="muted">{t('diff.changes', { n: changes.length })}</p>
      <table class="table diff-table">
        <thead>
          <tr>
            <th>{t('diff.path')}</th>
            <th>{t('diff.before')}</th>
            <th>{t('diff.after')}</th>
          </tr>
        </thead>
        <tbody>
          {changes.slice(0, drawnMax).map((change) => (
            <tr key={change.path} class={change.kind}>
              <td>
                <code>
                  <Shown text={change.path} max={200} />
                </code>
              </td>
              <td class="was">{change.before === undefined ? '' : <NodeText node={change.before} />}</td>
              <td class="is">{change.after === undefined ? '' : <NodeText node={change.after} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const NodeText = ({ node }: { node: JsonNode }) => (
  <code>
    <Shown text={formatJson(node)} max={300} />
  </code>
);

function LineDiff({ before, after }: { before: string; after: string }) {
  const lines = diffLines(before, after);
  if (lines.every((line) => line.kind === 'same')) return <p class="empty">{t('diff.same')}</p>;
  const signs = { same: ' ', added: '+', removed: '−' } as const;
  return (
    <div class="diff-lines">
      {lines.slice(0, drawnMax).map((line, index) => (
        <div key={index} class={`diff-line ${line.kind}`}>
          <span class="sign">{signs[line.kind]}</span>
          <Shown text={line.text} max={2000} />
        </div>
      ))}
    </div>
  );
}
