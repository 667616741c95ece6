import type { ShownMessage } from '../api/types.ts';
import { formatClock } from '../format.ts';
import { t } from '../i18n.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Shown } from '../ui/shown.tsx';
import { DiffView } from './diff-view.tsx';
import { payloadOf } from './payload-bytes.ts';

/** What changed between two messages. */
export function DiffDialog(props: { before: ShownMessage; after: ShownMessage; onClose: () => void }) {
  const { before, after } = props;
  return (
    <Dialog title={t('diff.title')} size="wide" onClose={props.onClose}>
      <div class="diff-heads">
        <Head message={before} />
        <Head message={after} />
      </div>
      <DiffView before={payloadOf(before.payload)} after={payloadOf(after.payload)} />
    </Dialog>
  );
}

const Head = ({ message }: { message: ShownMessage }) => (
  <p class="cut">
    <Shown text={message.topic} max={200} /> <span class="muted">{formatClock(message.atMs)}</span>
  </p>
);
