import { useMemo, useState } from 'preact/hooks';
import { t } from '../i18n.ts';
import { Button } from '../ui/button.tsx';
import { copyText } from '../ui/copy.ts';
import { Icon } from '../ui/icon.tsx';
import { Shown } from '../ui/shown.tsx';
import { type RowPlace, VirtualRows } from '../ui/virtual-rows.tsx';
import { formatJson, type JsonNode } from './json.ts';
import { type JsonRow, jsonRows, openAtFirst } from './json-rows.ts';

/** A JSON document that folds; the value or the path of the current line can be copied. */
export function JsonView({ root, onPath }: { root: JsonNode; onPath?: (path: string) => void }) {
  const [open, setOpen] = useState<ReadonlySet<string>>(() => openAtFirst(root));
  const [active, setActive] = useState(0);
  const rows = useMemo(() => jsonRows(root, open), [root, open]);
  const current = rows[Math.min(active, rows.length - 1)];

  const toggle = (row: JsonRow, wanted = !row.isOpen): void => {
    if (row.size === 0) return;
    const next = new Set(open);
    if (wanted) next.add(row.path);
    else next.delete(row.path);
    setOpen(next);
  };
  const onKey = (event: KeyboardEvent, index: number): boolean => {
    const row = rows[index];
    if (row === undefined) return false;
    if (event.key === 'ArrowRight') toggle(row, true);
    else if (event.key === 'ArrowLeft') toggle(row, false);
    else if (event.key === 'Enter' || event.key === ' ') toggle(row);
    else return false;
    return true;
  };

  return (
    <div class="json">
      <VirtualRows
        class="json-rows"
        role="tree"
        label={t('inspector.json')}
        count={rows.length}
        rowHeight={24}
        active={Math.min(active, rows.length - 1)}
        onActive={setActive}
        onKey={onKey}
        render={(place) => (
          <Line key={place.index} place={place} row={rows[place.index]} pick={setActive} toggle={toggle} />
        )}
      />
      {current === undefined ? null : (
        <div class="bar small">
          <code class="grow cut">
            <Shown text={current.path} max={300} />
          </code>
          <Button icon="copy" kind="quiet" onClick={() => void copyText(current.path)}>
            {t('inspector.copyPath')}
          </Button>
          <Button icon="copy" kind="quiet" onClick={() => void copyText(valueText(current.node))}>
            {t('inspector.copyValue')}
          </Button>
          {onPath === undefined || current.node.kind !== 'literal' ? null : (
            <Button icon="plot" kind="quiet" onClick={() => onPath(current.path)}>
              {t('inspector.plot')}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

const valueText = (node: JsonNode): string => (node.kind === 'string' ? node.text : formatJson(node));

function Line(props: {
  place: RowPlace;
  row: JsonRow | undefined;
  pick: (index: number) => void;
  toggle: (row: JsonRow) => void;
}) {
  const { row, place } = props;
  if (row === undefined) return null;
  return (
    <div
      class="row json-row"
      role="treeitem"
      aria-level={row.depth + 1}
      aria-expanded={row.size === 0 ? undefined : row.isOpen}
      aria-selected={place.tabIndex === 0}
      tabIndex={place.tabIndex}
      style={place.style}
      onClick={() => {
        props.pick(place.index);
        props.toggle(row);
      }}
    >
      <span class="indent" style={{ width: `${row.depth * 14}px` }} />
      <span class={`twist${row.isOpen ? ' open' : ''}`}>{row.size > 0 ? <Icon name="chevron" /> : null}</span>
      {row.name === '' ? null : (
        <span class="json-key">
          <Shown text={row.name} max={200} />:
        </span>
      )}
      <Value row={row} />
    </div>
  );
}

function Value({ row }: { row: JsonRow }) {
  const { node } = row;
  switch (node.kind) {
    case 'object':
      return <span class="muted">{`{ ${row.size} }`}</span>;
    case 'array':
      return <span class="muted">{`[ ${row.size} ]`}</span>;
    case 'string':
      return (
        <span class="json-string">
          "<Shown text={node.text} max={500} />"
        </span>
      );
    case 'literal':
      return <span class="json-literal">{node.text}</span>;
    default:
      return node satisfies never;
  }
}
